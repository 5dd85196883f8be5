import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { expect } from 'vitest'

/** A running server with demo data that serves the built app at /: scripts/with-demo.sh sets it. */
const server = process.env.JMK_TEST_URL
if (!server) throw new Error('JMK_TEST_URL is not set: run through scripts/with-demo.sh npm run e2e')
export const url = server.replace(/\/$/, '')

/** Google's Pixel 7. */
export const phone = { viewport: { width: 412, height: 915 }, deviceScaleFactor: 2.625, isMobile: true, hasTouch: true, locale: 'zh-CN', timezoneId: 'Asia/Shanghai' }

const flags = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run']

/** `film` is a y4m file that plays as the camera. */
export function openBrowser(film?: string): Promise<Browser> {
  const camera = film ? ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${film}`] : []
  return chromium.launch({ executablePath: process.env.JMK_CHROMIUM ?? '/usr/bin/chromium', args: [...flags, ...camera] })
}

export interface Person {
  context: BrowserContext
  page: Page
  /** Closes the context and fails on what nobody saw: a request to an outside host, an uncaught error in the page. */
  leave(): Promise<void>
}

/** A phone of its own, with nothing on it. */
export async function newPhone(browser: Browser, settings: { large?: boolean; dark?: boolean } = {}): Promise<Person> {
  const context = await browser.newContext(phone)
  const wrong: string[] = []
  const home = new URL(url).host
  await context.route('**/*', (route) => {
    const target = new URL(route.request().url())
    if (!/^https?:$/.test(target.protocol) || target.host === home) return route.continue()
    wrong.push('outside host: ' + target.href)
    return route.abort()
  })
  if (settings.large || settings.dark) {
    const kept = JSON.stringify({ large: settings.large ?? false, appearance: settings.dark ? 'dark' : 'light' })
    await context.addInitScript((value) => localStorage.setItem('jmk.settings', value), kept)
  }
  const page = await context.newPage()
  page.on('pageerror', (e) => wrong.push('error in the page: ' + e.message))
  return {
    context,
    page,
    async leave() {
      await context.close()
      expect(wrong).toEqual([])
    },
  }
}

let nonce = 0
const fresh = () => `${Date.now().toString(36)}${(nonce++).toString(36)}`

/** A phone whose owner has agreed to the basic service and logged in: `name` is the demo resident's, such as "wang". */
export async function asResident(browser: Browser, name: string, settings: { large?: boolean; dark?: boolean } = {}): Promise<Person> {
  const person = await newPhone(browser, settings)
  const answer = await api<{ resident_id: string; tokens: unknown }>('/mp/v1/auth/login', { code: `demo-${name}-${fresh()}` })
  const kept = { 'jmk.tokens.resident': answer.tokens, 'jmk.recent-login': answer.resident_id, 'jmk.welcomed': await requiredConsents() }
  await person.context.addInitScript(keepOnce, Object.entries(kept).map(([k, v]) => [k, JSON.stringify(v)] as [string, string]))
  return person
}

/** A phone with a member of staff logged in, such as "clerk" or "organizer". */
export async function asStaff(browser: Browser, username: string, settings: { large?: boolean; dark?: boolean } = {}): Promise<Person> {
  const person = await newPhone(browser, settings)
  const tokens = await api<unknown>('/api/v1/auth/login', { username, password: 'jiamenkou-demo' })
  await person.context.addInitScript(keepOnce, [['jmk.tokens.staff', JSON.stringify(tokens)] as [string, string]])
  return person
}

/** Init scripts run at each load: what the app has changed since (a rotated token) must not be put back. */
function keepOnce(pairs: [string, string][]) {
  if (localStorage.getItem('test.kept')) return
  localStorage.setItem('test.kept', '1')
  for (const [k, v] of pairs) localStorage.setItem(k, v)
}

interface ConsentText {
  purpose: string
  version: string
  required: boolean
}

/** What a person has ticked who agreed only to what must be. */
async function requiredConsents() {
  const { consents } = await api<{ consents: ConsentText[] }>('/mp/v1/client-config')
  return consents.filter((t) => t.required).map(({ purpose, version }) => ({ purpose, version }))
}

/** A call beside the app; without a body it is a GET. */
export async function api<T>(path: string, body?: unknown, token?: string): Promise<T> {
  const headers: Record<string, string> = { 'Content-Type': 'application/json', ...(token ? { Authorization: 'Bearer ' + token } : {}) }
  const r = await fetch(url + path, body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) })
  if (!r.ok) throw new Error(`${path}: ${r.status} ${await r.text()}`)
  return (r.status === 204 ? undefined : await r.json()) as T
}

/** Opens a page of the app, such as "pages/me/index", and waits until no skeleton is left. */
export async function open(page: Page, path: string): Promise<void> {
  await page.goto(`${url}/#/${path}`)
  await settled(page)
}

export async function settled(page: Page): Promise<void> {
  await page.locator('.jm').first().waitFor()
  await page.waitForLoadState('networkidle')
  await page.locator('[aria-label="正在加载"]:visible').first().waitFor({ state: 'detached' }).catch(() => {})
}

// Evaluated, not added as a script: the served content policy refuses inline scripts, as it must.
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Finding {
  id: string
  impact: string | null
  nodes: { html: string; failureSummary?: string }[]
}

/** Fails on any serious or critical finding of axe. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axeSource)
  const findings = (await page.evaluate(async () => {
    const axe = (window as unknown as { axe: { run(where: unknown, options: unknown): Promise<{ violations: unknown[] }> } }).axe
    return (await axe.run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } })).violations
  })) as Finding[]
  const serious = findings.filter((f) => f.impact === 'serious' || f.impact === 'critical')
  expect(serious.map((f) => `${f.id}: ${f.nodes.map((n) => n.html.slice(0, 160) + ' ' + (n.failureSummary ?? '')).slice(0, 3).join(' | ')}`)).toEqual([])
}

/** Fails when a target is under 44 px or something is wider than the screen. */
export async function expectReachable(page: Page): Promise<void> {
  const faults = await page.evaluate(() => {
    const out: string[] = []
    const says = (el: Element) => (el.getAttribute('aria-label') ?? el.textContent ?? '').trim().slice(0, 30)
    for (const el of document.querySelectorAll('[role=button],[role=link],[role=switch],[role=radio]')) {
      const r = el.getBoundingClientRect()
      if (r.width > 0 && (r.height < 43.5 || r.width < 43.5)) out.push(`small target ${Math.round(r.width)}×${Math.round(r.height)}: ${says(el)}`)
    }
    if (document.documentElement.scrollWidth > window.innerWidth) out.push(`page is ${document.documentElement.scrollWidth} px wide`)
    return out
  })
  expect(faults).toEqual([])
}

/** Takes a picture when JMK_SCREENS names a folder. */
export async function shot(page: Page, name: string): Promise<void> {
  const folder = process.env.JMK_SCREENS
  if (!folder) return
  const path = `${folder}/${name}.png`
  mkdirSync(dirname(path), { recursive: true })
  // uni-app's page scrolls with the document: the whole of it is worth seeing.
  await page.screenshot({ path, fullPage: true })
}

/** What the labels say, in one place: press by the words that a person reads. */
export const press = (page: Page, words: string) => page.locator('[role=button]:visible,[role=link]:visible,[role=switch]:visible,[role=radio]:visible', { hasText: words }).first().click()
export const heading = (page: Page, words: string) => page.locator('[role=heading][aria-level="1"]:visible', { hasText: words }).first()
