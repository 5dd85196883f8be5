import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'
import { expect } from 'vitest'

/** A running server with demo data that serves the built console at /console/: scripts/with-demo.sh sets it. */
const server = process.env.JMK_TEST_URL
if (!server) throw new Error('JMK_TEST_URL is not set: run through scripts/with-demo.sh npm run e2e')
export const url = server.replace(/\/$/, '')
export const password = 'jiamenkou-demo'

const flags = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run']

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.JMK_CHROMIUM ?? '/usr/bin/chromium', args: flags })
}

export interface Person {
  page: Page
  /** Closes the page and fails on what nobody saw: a request to an outside host, an error in the console. */
  leave(): Promise<void>
}

/** `refusals` are answers that the test provokes: the browser reports them as errors, which are none here. `at` is another server than the one of the run. */
export async function openDesk(browser: Browser, settings: { dark?: boolean; refusals?: number[]; at?: string } = {}): Promise<Person> {
  // What fades in or out is neither readable nor in its place: axe and pictures look at what stays.
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'zh-CN', timezoneId: 'Asia/Shanghai', reducedMotion: 'reduce' })
  const wrong: string[] = []
  const home = new URL(settings.at ?? url).host
  await context.route('**/*', (route) => {
    const target = new URL(route.request().url())
    if (!/^https?:$/.test(target.protocol) || target.host === home) return route.continue()
    wrong.push('outside host: ' + target.href)
    return route.abort()
  })
  if (settings.dark) await context.addInitScript(() => localStorage.setItem('jmk.dark', '1'))
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  page.on('pageerror', (e) => wrong.push(`${page.url()} error in the page: ${e.message}`))
  page.on('console', (m) => {
    const expected = (settings.refusals ?? []).some((status) => m.text().includes(`status of ${status} `))
    if (m.type() === 'error' && !expected) wrong.push(`${page.url()} console: ${m.text()}`)
  })
  return {
    page,
    async leave() {
      await context.close()
      expect(wrong).toEqual([])
    },
  }
}

export async function fillLogin(page: Page, username: string): Promise<void> {
  await page.locator('input[name=username]').fill(username)
  await page.locator('input[name=password]').fill(password)
  await page.getByRole('button', { name: '登录', exact: true }).click()
}

export async function openAs(browser: Browser, username: string, settings: Parameters<typeof openDesk>[1] = {}): Promise<Person> {
  const person = await openDesk(browser, settings)
  await person.page.goto(`${settings.at ?? url}/console/`)
  await fillLogin(person.page, username)
  await person.page.getByRole('heading', { name: /您好/ }).waitFor()
  return person
}

export async function open(page: Page, path: string): Promise<void> {
  const here = page.url().startsWith('http') ? new URL(page.url()).origin : url
  await page.goto(`${here}/console${path}`)
  await page.waitForLoadState('networkidle')
}

const mainMenu = (page: Page) => page.getByRole('navigation', { name: '主菜单' })

/** Every entry of the menu, its closed groups opened by the keyboard. */
export async function menuOf(page: Page): Promise<string[]> {
  const closed = mainMenu(page).getByRole('button', { expanded: false })
  for (let left = await closed.count(); left > 0; left--) await closed.first().press('Enter')
  return mainMenu(page).getByRole('link').allTextContents()
}

async function call(method: string, path: string, token: string, body?: unknown) {
  const headers = { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}), 'Idempotency-Key': crypto.randomUUID() }
  const r = await fetch(url + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
  if (!r.ok) throw new Error(`${method} ${path}: ${r.status} ${await r.text()}`)
  return r.status === 204 ? null : await r.json()
}

/** Speaks to the API as somebody, to set a scene that the console cannot. */
export async function callAs(username: string) {
  const { access_token: token } = await call('POST', '/api/v1/auth/login', '', { username, password })
  return (method: string, path: string, body?: unknown) => call(method, `/api/v1${path}`, token, body)
}

/** Speaks as the demo's resident. */
export async function callAsResident() {
  const { tokens } = await call('POST', '/mp/v1/auth/login', '', { code: `demo-wang-${crypto.randomUUID().slice(0, 8)}` })
  return (method: string, path: string, body?: unknown) => call(method, `/mp/v1${path}`, tokens.access_token, body)
}

/** Presses a move and confirms it in its dialog, with a text where one is asked for. */
export async function move(page: Page, title: string, text = ''): Promise<void> {
  await page.getByRole('button', { name: title, exact: true }).click()
  const dialog = page.getByRole('dialog', { name: title })
  if (text) await dialog.locator('#move-text').fill(text)
  await dialog.getByRole('button', { name: title, exact: true }).click()
  await dialog.waitFor({ state: 'hidden' })
}

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
interface Finding { id: string; impact: string | null; nodes: { html: string; failureSummary?: string }[] }

/** The serious and critical findings of axe, of some rules only if they are named. */
export async function findingsOf(page: Page, rules: string[] = []): Promise<string[]> {
  // The strict content policy refuses script tags; evaluating is not bound by it.
  await page.evaluate((await import('node:fs')).readFileSync(axePath, 'utf8'))
  const findings = (await page.evaluate(async (only) => {
    const axe = (window as unknown as { axe: { run(where: unknown, options: unknown): Promise<{ violations: unknown[] }> } }).axe
    return (await axe.run(document, { resultTypes: ['violations'], ...(only.length ? { runOnly: only } : {}) })).violations
  }, rules)) as Finding[]
  const serious = findings.filter((f) => f.impact === 'serious' || f.impact === 'critical')
  return serious.map((f) => `${page.url()} ${f.id}: ${f.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + ' ' + (n.failureSummary ?? '')).join(' | ')}`)
}

export async function expectAccessible(page: Page): Promise<void> {
  expect(await findingsOf(page)).toEqual([])
}

/** Fails when something is wider than the window. What floats finds its new place a moment after the window has changed. */
export async function expectFits(page: Page): Promise<void> {
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth), { timeout: 3000 }).toBeLessThanOrEqual(0)
}

/** Takes pictures at both widths when JMK_SCREENS names a folder. */
export async function shot(page: Page, name: string): Promise<void> {
  const folder = process.env.JMK_SCREENS
  for (const width of [1440, 1024]) {
    await page.setViewportSize({ width, height: 900 })
    await expectFits(page)
    if (!folder) continue
    const path = `${folder}/${name}-${width}.png`
    mkdirSync(dirname(path), { recursive: true })
    await page.screenshot({ path })
  }
  await page.setViewportSize({ width: 1440, height: 900 })
}

/** Starts the program once more, on the same database with other settings, as another copy behind a balancer. */
export async function startServer(settings: Record<string, string>): Promise<{ url: string; stop(): Promise<void> }> {
  const database = process.env.JMK_TEST_SQLITE
  if (!database) throw new Error('JMK_TEST_SQLITE is not set: run through scripts/with-demo.sh')
  const program = fileURLToPath(new URL('../../../../bin/jiamenkou', import.meta.url))
  const env = { PATH: process.env.PATH, JMK_HTTP_ADDR: '127.0.0.1:0', JMK_DATABASE_DRIVER: 'sqlite', JMK_DATABASE_SQLITE_PATH: database, JMK_FILES_PATH: `${dirname(database)}/files`, JMK_JOBS_ENABLED: 'false', ...settings }
  const server = spawn(program, ['serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<void>((done) => server.once('exit', () => done()))
  let told = ''
  const address = await new Promise<string>((found, lost) => {
    for (const stream of [server.stdout, server.stderr]) {
      stream.on('data', (part: Buffer) => {
        told = (told + part.toString()).slice(-4000)
        const at = /is running: (http:\S+)/.exec(told)?.[1]
        if (at) found(at)
      })
    }
    void ended.then(() => lost(new Error(`the second server did not start: ${told}`)))
  })
  return { url: address, stop: () => (server.kill(), ended) }
}

/** The six digits of an authenticator (RFC 6238) at a time. */
export function codeOf(secret: string, at = Date.now()): string {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((b) => parseInt(b, 2)))
  const step = Buffer.alloc(8)
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)))
  const mac = createHmac('sha1', key).update(step).digest()
  return String((mac.readUInt32BE(mac[19]! & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}
