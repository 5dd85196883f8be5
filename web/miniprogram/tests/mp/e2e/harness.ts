import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import { consentTexts, logInResident, logInStaff, url as api } from '../../e2e/calls'
import { openBrowser, phone as device } from '../../e2e/harness'
import { makeSite } from '../browser/bundle'
import type { Phone } from '../browser/page/phone'
import type * as screens from '../browser/page/screens'
import { serve, type SiteServer } from '../browser/server'

const buildTimeout = 180_000
const patienceMs = 15_000

/** The names that page/main.ts puts on the window. */
interface Player {
  phone: Phone
  mp: typeof screens & { setOnline(on: boolean): void }
}
declare const window: Window & Player

let browser: Browser
let site: SiteServer

/** Builds the mini-program when it is stale and serves it to a browser, for all tests of a file. */
export function playMiniProgram(): void {
  beforeAll(async () => {
    execFileSync('node', [fileURLToPath(new URL('../prepare.mjs', import.meta.url))], { stdio: 'inherit' })
    site = await serve(await makeSite(), api)
    browser = await openBrowser()
  }, buildTimeout)
  afterAll(async () => {
    await browser?.close()
    await site?.close()
  })
}

type Kept = Record<string, unknown>

/** What is on the phone of a resident who agreed to what must be and logged in. */
export async function residentKept(name: string): Promise<Kept> {
  const { resident_id, tokens } = await logInResident(name)
  const welcomed = (await consentTexts()).filter((t) => t.required).map(({ purpose, version }) => ({ purpose, version }))
  return { 'jmk.tokens.resident': tokens, 'jmk.recent-login': resident_id, 'jmk.welcomed': welcomed }
}

export const staffKept = async (username: string): Promise<Kept> => ({ 'jmk.tokens.staff': await logInStaff(username) })

/** A phone with the mini-program open. */
export class MiniProgram {
  private constructor(readonly page: Page) {}

  /** Opens the app with empty storage, or with `kept` in it; `at` is the page as WeChat would open it; `plugins` false takes those from the account that app.json declares. */
  static async open(settings: { at?: string; phone?: Partial<Phone>; kept?: Kept; plugins?: boolean } = {}): Promise<MiniProgram> {
    const context = await browser.newContext(device)
    context.setDefaultTimeout(patienceMs)
    const page = await context.newPage()
    const kept = Object.entries(settings.kept ?? {}).map(([k, v]) => ['wx:' + k, JSON.stringify(JSON.stringify(v))] as const)
    await context.addInitScript(keepOnce, kept)
    if (settings.plugins === false) await context.addInitScript(() => localStorage.setItem('test.noPlugins', '1'))
    await page.goto(`${site.url}/#/${settings.at ?? 'pages/home/index'}`)
    const app = new MiniProgram(page)
    await app.set(settings.phone ?? {})
    return app
  }

  /** Decides something about the phone, such as what its scanner reads next. */
  async set(what: Partial<Phone>): Promise<void> {
    await this.page.evaluate((w) => void Object.assign(window.phone, w), what)
  }

  get = <K extends keyof Phone>(what: K): Promise<Phone[K]> => this.page.evaluate((k) => window.phone[k], what) as Promise<Phone[K]>
  route = (): Promise<string> => this.page.evaluate(() => window.mp.currentRoute())
  depth = (): Promise<number> => this.page.evaluate(() => window.mp.openPages().length)
  share = (): Promise<screens.ShareCard> => this.page.evaluate(() => window.mp.shareCurrentPage('menu'))
  setOnline = (on: boolean): Promise<void> => this.page.evaluate((o) => window.mp.setOnline(o), on)

  /** Opens a page as the app itself would, whatever lies open. */
  reLaunch = (url: string): Promise<void> => this.page.evaluate((u) => window.mp.reLaunch(u), url)

  /** Taps what a person reads. */
  tap = (words: string): Promise<void> => this.page.locator('[role=button]:visible,[role=link]:visible,[role=switch]:visible,[role=radio]:visible', { hasText: words }).first().tap()
  sees = (words: string): Promise<void> => this.page.getByText(words).filter({ visible: true }).first().waitFor()
  at = (route: string): Promise<void> => expect.poll(() => this.route(), { timeout: patienceMs }).toBe(route)

  /** Waits until no skeleton is left on the page. */
  async settled(): Promise<void> {
    await this.page.waitForLoadState('networkidle')
    await expect.poll(() => this.page.locator('[aria-label="正在加载"]:visible').count(), { timeout: patienceMs }).toBe(0)
  }

  /** Takes a picture when JMK_SCREENS names a folder. */
  async shot(name: string): Promise<void> {
    const folder = process.env.JMK_SCREENS
    if (folder) await this.page.screenshot({ path: `${folder}/mp/${name}.png`, fullPage: true })
  }

  /** Closes the phone and fails on every error that nobody caught. */
  async leave(): Promise<void> {
    const faults = await this.get('faults')
    await this.page.context().close()
    expect(faults).toEqual([])
  }
}

/** Init scripts run at each load: what the app has changed since must not be put back. */
function keepOnce(pairs: (readonly [string, string])[]): void {
  if (localStorage.getItem('test.kept')) return
  localStorage.setItem('test.kept', '1')
  for (const [k, v] of pairs) localStorage.setItem(k, v)
}
