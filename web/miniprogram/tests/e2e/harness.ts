import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { expect } from 'vitest'
import { consentTexts, logInResident, logInStaff, url } from './calls'

/** Google's Pixel 7. */
export const phone = { viewport: { width: 412, height: 915 }, deviceScaleFactor: 2.625, isMobile: true, hasTouch: true, locale: 'zh-CN', timezoneId: 'Asia/Shanghai' }

const flags = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run']

/** `film` is a y4m file that plays as the camera. */
export function openBrowser(film?: string): Promise<Browser> {
  const camera = film ? ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${film}`] : []
  return chromium.launch({ executablePath: process.env.JMK_CHROMIUM ?? '/usr/bin/chromium', args: [...flags, ...camera] })
}

export interface Settings {
  large?: boolean
  dark?: boolean
}

export interface Person {
  context: BrowserContext
  page: Page
  /** Closes the context and fails on what nobody saw: a request to an outside host, an uncaught error in the page. */
  leave(): Promise<void>
}

/** A phone of its own, with nothing on it. */
export async function newPhone(browser: Browser, settings: Settings = {}): Promise<Person> {
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
  countRequests(page)
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

/** A phone whose owner has agreed to the basic service and logged in: `name` is the demo resident's, such as "wang". */
export async function asResident(browser: Browser, name: string, settings: Settings = {}): Promise<Person> {
  const person = await newPhone(browser, settings)
  const answer = await logInResident(name)
  // What a person has ticked who agreed only to what must be.
  const welcomed = (await consentTexts()).filter((t) => t.required).map(({ purpose, version }) => ({ purpose, version }))
  const kept = { 'jmk.tokens.resident': answer.tokens, 'jmk.recent-login': answer.resident_id, 'jmk.welcomed': welcomed }
  await person.context.addInitScript(keepOnce, Object.entries(kept).map(([k, v]) => [k, JSON.stringify(v)] as [string, string]))
  return person
}

/** A phone with a member of staff logged in, such as "clerk" or "organizer". */
export async function asStaff(browser: Browser, username: string, settings: Settings = {}): Promise<Person> {
  const person = await newPhone(browser, settings)
  const tokens = await logInStaff(username)
  await person.context.addInitScript(keepOnce, [['jmk.tokens.staff', JSON.stringify(tokens)] as [string, string]])
  return person
}

/** Init scripts run at each load: what the app has changed since (a rotated token) must not be put back. */
function keepOnce(pairs: [string, string][]) {
  if (localStorage.getItem('test.kept')) return
  localStorage.setItem('test.kept', '1')
  for (const [k, v] of pairs) localStorage.setItem(k, v)
}

/** Opens a page of the app, such as "pages/me/index", and waits until it stands. */
export async function open(page: Page, path: string): Promise<void> {
  await page.goto(`${url}/#/${path}`)
  await settled(page)
}

const traffic = new WeakMap<Page, { open: number; changedAt: number }>()

function countRequests(page: Page) {
  const seen = { open: 0, changedAt: 0 }
  traffic.set(page, seen)
  const count = (by: number) => () => {
    seen.open += by
    seen.changedAt = Date.now()
  }
  page.on('request', count(1))
  page.on('requestfinished', count(-1))
  page.on('requestfailed', count(-1))
}

const quietMs = 100 // Playwright's networkidle waits five times as long, which is most of a run's time
const patienceMs = 15_000

/** Waits until the app has drawn itself, nothing is asked of the server and no skeleton is left. */
export async function settled(page: Page): Promise<void> {
  const seen = traffic.get(page)!
  const asked = Date.now()
  await page.locator('.jm').first().waitFor()
  while (seen.open > 0 || Date.now() - Math.max(seen.changedAt, asked) < quietMs) {
    if (Date.now() - asked > patienceMs) throw new Error(`${page.url()} still waits for the server after ${patienceMs} ms`)
    await page.waitForTimeout(20)
  }
  await expect.poll(() => page.locator('[aria-label="正在加载"]:visible').count(), { timeout: patienceMs }).toBe(0)
}

// Evaluated, not added as a script: the served content policy refuses inline scripts, as it must.
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Finding {
  id: string
  impact: string | null
  nodes: { html: string; failureSummary?: string }[]
}

/** Fails on any serious or critical finding of axe. Contrast is at least 4.5 for large letters too, where axe alone would take 3. */
export async function expectAccessible(page: Page): Promise<void> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axeSource)
  const findings = (await page.evaluate(async () => {
    const axe = (window as unknown as { axe: { configure(spec: unknown): void; run(where: unknown, options: unknown): Promise<{ violations: unknown[] }> } }).axe
    const contrastRatio = { normal: { expected: 4.5 }, large: { expected: 4.5 } }
    axe.configure({ checks: [{ id: 'color-contrast', options: { contrastRatio } }] })
    return (await axe.run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } })).violations
  })) as Finding[]
  const serious = findings.filter((f) => f.impact === 'serious' || f.impact === 'critical')
  expect(serious.map((f) => `${f.id}: ${f.nodes.map((n) => n.html.slice(0, 160) + ' ' + (n.failureSummary ?? '')).slice(0, 3).join(' | ')}`)).toEqual([])
}

/** Fails when a target is under 44 px, lines stand too close, or something is cut off or wider than the screen. */
export async function expectReachable(page: Page): Promise<void> {
  expect(await page.evaluate(findUnreachable)).toEqual([])
}

/** Runs in the page. */
function findUnreachable(): string[] {
  const out: string[] = []
  const says = (el: Element) => (el.getAttribute('aria-label') ?? el.textContent ?? '').trim().slice(0, 30)
  for (const el of document.querySelectorAll('[role=button],[role=link],[role=switch],[role=radio],uni-input,uni-textarea')) {
    const r = el.getBoundingClientRect()
    if (r.width > 0 && (r.height < 43.5 || r.width < 43.5)) out.push(`small target ${Math.round(r.width)}×${Math.round(r.height)}: ${says(el)}`)
  }
  const width = document.documentElement.clientWidth
  if (document.documentElement.scrollWidth > width) out.push(`page is ${document.documentElement.scrollWidth} px wide`)
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const el = node.parentElement!
    const words = node.textContent!.trim()
    if (words === '' || /^(SCRIPT|STYLE)$/.test(el.tagName) || el.getClientRects().length === 0) continue
    const range = document.createRange()
    range.selectNodeContents(node)
    const r = range.getBoundingClientRect()
    if (r.left < -1 || r.right > width + 1) out.push(`outside of the screen: ${words.slice(0, 30)}`)
    const style = getComputedStyle(el)
    if (parseFloat(style.lineHeight) < 1.3 * parseFloat(style.fontSize) - 0.5) out.push(`lines too close (${style.lineHeight} for ${style.fontSize}): ${words.slice(0, 30)}`)
    for (let box: Element | null = el; box && box !== document.body; box = box.parentElement) {
      const b = box.getBoundingClientRect()
      const cuts = getComputedStyle(box).overflowX !== 'visible'
      if (cuts && (r.right > b.right + 1 || r.left < b.left - 1 || r.bottom > b.bottom + 1)) out.push(`cut off: ${words.slice(0, 30)}`)
    }
  }
  return out
}

const longestPicture = 3200

/** Takes a picture of the whole page, one point a pixel, when JMK_SCREENS names a folder. */
export async function shot(page: Page, name: string): Promise<void> {
  const folder = process.env.JMK_SCREENS
  if (!folder) return
  const path = `${folder}/${name}.png`
  mkdirSync(dirname(path), { recursive: true })
  // A phone as high as the page: bars that are fixed to the screen's foot stand at the picture's foot.
  const height = await page.evaluate(() => document.documentElement.scrollHeight)
  await page.setViewportSize({ ...phone.viewport, height: Math.min(longestPicture, Math.max(height, phone.viewport.height)) })
  await settled(page) // pictures load when they come into sight
  await page.evaluate(() => Promise.all([...document.images].map((i) => i.decode().catch(() => {}))))
  await page.screenshot({ path, scale: 'css', animations: 'disabled' })
  await page.setViewportSize(phone.viewport)
}

/** What the labels say, in one place: press by the words that a person reads. */
export const press = (page: Page, words: string) => page.locator('[role=button]:visible,[role=link]:visible,[role=switch]:visible,[role=radio]:visible', { hasText: words }).first().click()
export const heading = (page: Page, words: string) => page.locator('[role=heading][aria-level="1"]:visible', { hasText: words }).first()
