import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
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

/** `refusals` are answers that the test provokes: the browser reports them as errors, which are none here. */
export async function openDesk(browser: Browser, settings: { dark?: boolean; refusals?: number[] } = {}): Promise<Person> {
  // What fades in or out is neither readable nor in its place: axe and pictures look at what stays.
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'zh-CN', timezoneId: 'Asia/Shanghai', reducedMotion: 'reduce' })
  const wrong: string[] = []
  const home = new URL(url).host
  await context.route('**/*', (route) => {
    const target = new URL(route.request().url())
    if (!/^https?:$/.test(target.protocol) || target.host === home) return route.continue()
    wrong.push('outside host: ' + target.href)
    return route.abort()
  })
  if (settings.dark) await context.addInitScript(() => localStorage.setItem('jmk.dark', '1'))
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  page.on('pageerror', (e) => wrong.push('error in the page: ' + e.message))
  page.on('console', (m) => {
    const expected = (settings.refusals ?? []).some((status) => m.text().includes(`status of ${status} `))
    if (m.type() === 'error' && !expected) wrong.push('console: ' + m.text())
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
  await person.page.goto(`${url}/console/`)
  await fillLogin(person.page, username)
  await person.page.getByRole('heading', { name: /您好/ }).waitFor()
  return person
}

export async function open(page: Page, path: string): Promise<void> {
  await page.goto(`${url}/console${path}`)
  await page.waitForLoadState('networkidle')
}

export const menuOf = (page: Page): Promise<string[]> => page.getByRole('navigation', { name: '主菜单' }).getByRole('link').allTextContents()

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

/** Fails on any serious or critical finding of axe. */
export async function expectAccessible(page: Page): Promise<void> {
  // The strict content policy refuses script tags; evaluating is not bound by it.
  await page.evaluate((await import('node:fs')).readFileSync(axePath, 'utf8'))
  const findings = (await page.evaluate(async () => {
    const axe = (window as unknown as { axe: { run(where: unknown, options: unknown): Promise<{ violations: unknown[] }> } }).axe
    return (await axe.run(document, { resultTypes: ['violations'] })).violations
  })) as Finding[]
  const serious = findings.filter((f) => f.impact === 'serious' || f.impact === 'critical')
  expect(serious.map((f) => `${page.url()} ${f.id}: ${f.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + ' ' + (n.failureSummary ?? '')).join(' | ')}`)).toEqual([])
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
