import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { allPages, appJson, builtFolder, builtOrigin, builtSettings, filesUnder, readJson } from '../built'

// WeChat answers these only to apps that name them in requiredPrivateInfos, and its review refuses apps that name one
// without using it: https://developers.weixin.qq.com/miniprogram/dev/reference/configuration/app.html#requiredPrivateInfos
const privateInterfaces = [
  'getFuzzyLocation',
  'getLocation',
  'onLocationChange',
  'startLocationUpdate',
  'startLocationUpdateBackground',
  'chooseLocation',
  'choosePoi',
  'chooseAddress',
]

const app = appJson()
const files = filesUnder(builtFolder)
// uni-app's own runtime names every interface that there is.
const ownScripts = files.filter((f) => f.endsWith('.js') && f !== 'common/vendor.js')
const code = ownScripts.map((f) => readFileSync(join(builtFolder, f), 'utf8')).join('\n')

describe('the built app.json', () => {
  it('declares exactly the private interfaces that the app calls', () => {
    const called = privateInterfaces.filter((name) => new RegExp(`\\.${name}\\b`).test(code))
    expect(called).toContain('getLocation')
    expect([...app.requiredPrivateInfos].sort()).toEqual(called.sort())
  })

  it("turns WeChat's privacy check on", () => {
    expect(app.__usePrivacyCheck__).toBe(true)
  })

  it('says in Chinese, within what WeChat shows, why it asks for the position', () => {
    const { desc } = app.permission['scope.userLocation']!
    expect(desc).toMatch(/^[\u4e00-\u9fff，。、]{8,30}$/) // WeChat cuts it off after 30 characters
    expect(Object.keys(app.permission)).toEqual(['scope.userLocation'])
  })

  it('names no subscribe-message template: the server tells which there are', () => {
    expect(code).toContain('requestSubscribeMessage')
    expect(code).not.toMatch(/["'][\w-]{43}["']/) // what WeChat's template ids look like
  })

  it("declares WeChat's own plugin for voice input in the version that the build names, and no other", () => {
    const version = builtSettings().VITE_WECHAT_SI_VERSION
    expect(app.plugins).toEqual(version ? { WechatSI: { version, provider: 'wx069ba97219f66d99' } } : undefined)
    expect(code.includes('requirePlugin')).toBe(version !== '')
  })

  it('opens the app at the home page, which mini-program codes open too', () => {
    expect(app.pages[0]).toBe('pages/home/index')
    const config = readFileSync(join(builtFolder, '../../../../../config.yaml'), 'utf8')
    const [, page] = /^\s*scene_page: (\S+)/m.exec(config)!
    expect(allPages()).toContain(page)
  })

  it('has every page whole, each once', () => {
    expect(new Set(allPages()).size).toBe(allPages().length)
    for (const page of allPages()) for (const end of ['js', 'json', 'wxml']) expect(files).toContain(`${page}.${end}`)
  })

  it('keeps the tabs in the main package, with a bar of its own', () => {
    expect(app.tabBar.custom).toBe(true)
    expect(files).toContain('custom-tab-bar/index.wxml')
    for (const tab of app.tabBar.list) expect(app.pages).toContain(tab.pagePath)
  })

  it('colours what is WeChat\'s own by the phone\'s look', () => {
    expect(app.darkmode).toBe(true)
    const looks = readJson<Record<'light' | 'dark', Record<string, string>>>(builtFolder, app.themeLocation)
    const asked = ['app.json', ...allPages().map((page) => `${page}.json`)].flatMap((file) => [...readFileSync(join(builtFolder, file), 'utf8').matchAll(/"@(\w+)"/g)].map(([, name]) => name!))
    expect(asked.length).toBeGreaterThan(5)
    for (const look of [looks.light, looks.dark]) expect(Object.keys(look).sort()).toEqual([...new Set(asked)].sort())
  })

  it('loads only the components that a page needs', () => {
    expect(app.lazyCodeLoading).toBe('requiredComponents')
  })

  it('is checked by WeChat for addresses, and asks only the server that the build names', () => {
    expect(readJson<{ setting: { urlCheck: boolean } }>(builtFolder, 'project.config.json').setting.urlCheck).toBe(true)
    const hosts = [...code.matchAll(/https?:\/\/[^"'`\s)]+/g)].map(([url]) => url).filter((url) => url !== 'http://www.w3.org/2000/svg') // a name, not an address
    expect(new Set(hosts)).toEqual(new Set([builtOrigin()]))
  })
})
