import { addressOf, built } from './package'
import { phone } from './phone'
import * as screens from './screens'

// The part of wx that the app uses, played. What is not here is not there, as on a phone with an older WeChat: a call
// of it is an error that the tests see.

type Options = Record<string, any>

const kept = 'wx:'
const listeners = { network: new Set<(r: object) => void>(), theme: new Set<(r: object) => void>() }
const dark = () => matchMedia('(prefers-color-scheme: dark)').matches

const windowInfo = () => ({
  windowWidth: innerWidth,
  windowHeight: innerHeight,
  screenWidth: innerWidth,
  screenHeight: innerHeight,
  statusBarHeight: 24,
  screenTop: 0,
  pixelRatio: devicePixelRatio,
  safeArea: { top: 24, left: 0, right: innerWidth, bottom: innerHeight, width: innerWidth, height: innerHeight - 24 },
})
const appInfo = () => ({ SDKVersion: '3.7.0', version: '8.0.50', language: 'zh_CN', theme: dark() ? 'dark' : 'light', fontSizeSetting: 16, host: { env: 'WeChat' } })
const deviceInfo = () => ({ brand: 'test', model: 'browser', system: 'Android 14', platform: 'android' })

const storage = {
  getStorageSync: (key: string) => JSON.parse(localStorage.getItem(kept + key) ?? '""') as unknown,
  setStorageSync: (key: string, value: unknown) => localStorage.setItem(kept + key, JSON.stringify(value)),
  removeStorageSync: (key: string) => localStorage.removeItem(kept + key),
  getStorageInfoSync: () => ({ keys: Object.keys(localStorage).filter((k) => k.startsWith(kept)).map((k) => k.slice(kept.length)), currentSize: 1, limitSize: 10240 }),
}

/** How the app was opened: `#/pages/home/index?scene=…` in the browser's address. */
export const launchOptions = () => {
  const [path = '', query = ''] = (location.hash.slice(2) || 'pages/home/index').split('?')
  return { path, query: Object.fromEntries(query.split('&').filter(Boolean).map((p) => p.split('='))) as Record<string, string>, scene: 1001, referrerInfo: {} }
}

const immediate = {
  ...storage,
  getSystemInfoSync: () => ({ ...windowInfo(), ...appInfo(), ...deviceInfo() }),
  getWindowInfo: windowInfo,
  getAppBaseInfo: appInfo,
  getDeviceInfo: deviceInfo,
  getMenuButtonBoundingClientRect: () => ({ width: 87, height: 32, top: 28, bottom: 60, left: innerWidth - 97, right: innerWidth - 10 }),
  getLaunchOptionsSync: launchOptions,
  getEnterOptionsSync: launchOptions,
  getFileSystemManager: () => fileSystem,
  canIUse: () => true,
  nextTick: (run: () => void) => void Promise.resolve().then(run),
  onNetworkStatusChange: (f: (r: object) => void) => void listeners.network.add(f),
  onThemeChange: (f: (r: object) => void) => void listeners.theme.add(f),
  onAppShow: () => {},
  onAppHide: () => {},
  createInnerAudioContext: () => ({ src: '', paused: true, duration: 0, currentTime: 0, play() {}, pause() {}, stop() {}, seek() {}, destroy() {}, ...silent('onCanplay onPlay onPause onStop onEnded onTimeUpdate onError onWaiting onSeeking onSeeked') }),
}

/** Files go nowhere: what was written is only opened again by WeChat itself. */
const fileSystem = { writeFile: (o: Options) => setTimeout(() => o.success?.({ errMsg: 'writeFile:ok' })) }

const silent = (names: string) => Object.fromEntries(names.split(' ').flatMap((n) => [[n, () => {}], [n.replace(/^on/, 'off'), () => {}]]))

/** Tells the app that the network came or went. */
export function setOnline(on: boolean): void {
  phone.online = on
  for (const f of listeners.network) f({ isConnected: on, networkType: on ? 'wifi' : 'none' })
}

const fail = (why: string) => Promise.reject(new Error(why))

function allowed(url: string): string {
  if (!/^https:\/\//.test(url)) throw new Error(`invalid url "${url}"`)
  if (!url.startsWith(built.origin + '/')) throw new Error('url not in domain list')
  if (!phone.online) throw new Error('')
  return addressOf(url)
}

async function request(o: Options): Promise<object> {
  const method = String(o.method ?? 'GET').toUpperCase()
  const query = method === 'GET' && o.data ? '?' + new URLSearchParams(o.data as Record<string, string>).toString() : ''
  const body = method === 'GET' || o.data === undefined ? undefined : typeof o.data === 'string' ? o.data : JSON.stringify(o.data)
  const headers = new Headers({ 'Content-Type': 'application/json' })
  for (const [k, v] of Object.entries(o.header ?? {})) headers.set(k, String(v))
  const answer = await fetch(allowed(o.url) + query, { method, body, headers })
  const data = o.responseType === 'arraybuffer' ? await answer.arrayBuffer() : parsed(await answer.text())
  return { statusCode: answer.status, header: Object.fromEntries(answer.headers), cookies: [], data }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

async function uploadFile(o: Options): Promise<object> {
  const form = new FormData()
  form.append(o.name, await (await fetch(o.filePath)).blob(), 'picture.png')
  for (const [k, v] of Object.entries(o.formData ?? {})) form.append(k, String(v))
  const answer = await fetch(allowed(o.url), { method: 'POST', body: form, headers: o.header })
  return { statusCode: answer.status, data: await answer.text() } // text, also when it is JSON: so WeChat does
}

const nothing = async () => ({})
const keep = (what: Partial<typeof phone>) => Object.assign(phone, what) && {}
const go = (to: (url: string) => void) => async (o: Options) => {
  to(o.url)
  return {}
}

const eventual: Record<string, (o: Options) => Promise<object>> = {
  request,
  uploadFile,
  setStorage: async (o) => (storage.setStorageSync(o.key, o.data), {}),
  login: async () => ({ code: phone.loginCodes.shift() ?? 'unknown-code' }),
  getLocation: (o) => (phone.position ? Promise.resolve({ ...phone.position, type: o.type, accuracy: 20 }) : fail('auth deny')),
  scanCode: () => (phone.scan === null ? fail('cancel') : Promise.resolve({ result: phone.scan, scanType: 'QR_CODE', charSet: 'utf-8' })),
  chooseMedia: async (o) => (phone.pictures.length ? { type: 'image', tempFiles: phone.pictures.slice(0, o.count).map((tempFilePath) => ({ tempFilePath, fileType: 'image', size: 1 })) } : fail('cancel')),
  compressImage: async (o) => ({ tempFilePath: o.src }),
  requestSubscribeMessage: async (o) => Object.fromEntries((o.tmplIds as string[]).map((id) => [id, phone.subscribe])),
  getNetworkType: async () => ({ networkType: phone.online ? 'wifi' : 'none' }),
  getScreenBrightness: async () => ({ value: phone.brightness }),
  setScreenBrightness: async (o) => keep({ brightness: o.value as number }),
  setKeepScreenOn: async (o) => keep({ awake: o.keepScreenOn as boolean }),
  setBackgroundColor: nothing,
  setNavigationBarColor: nothing,
  setNavigationBarTitle: nothing,
  stopPullDownRefresh: nothing,
  vibrateShort: nothing,
  makePhoneCall: nothing,
  openLocation: nothing,
  previewImage: nothing,
  openDocument: nothing,
  setClipboardData: nothing,
  authorize: nothing,
  navigateTo: go(screens.navigateTo),
  redirectTo: go(screens.redirectTo),
  switchTab: go(screens.switchTab),
  reLaunch: go(screens.reLaunch),
  navigateBack: go(() => screens.navigateBack()),
}

/** WeChat's convention: callbacks when there are any, a promise when there is none. */
function withCallbacks(name: string, run: (o: Options) => Promise<object>) {
  return (options: Options = {}) => {
    phone.calls.push({ name, options: parsed(JSON.stringify(options)) as Record<string, unknown> })
    const outcome = Promise.resolve()
      .then(() => run(options))
      .then(
        (r) => ({ errMsg: `${name}:ok`, ...r }),
        (e: Error) => Promise.reject({ errMsg: `${name}:fail ${e.message}` }),
      )
    if (!options.success && !options.fail && !options.complete) return outcome
    outcome.then(options.success, options.fail).finally(options.complete)
    return name === 'request' || name === 'uploadFile' ? { abort() {}, onProgressUpdate() {} } : undefined
  }
}

export const wx: Record<string, unknown> = { ...immediate, env: { USER_DATA_PATH: 'http://usr' } }
for (const [name, run] of Object.entries(eventual)) wx[name] = withCallbacks(name, run)
