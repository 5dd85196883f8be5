import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Resource, Role } from '../../src/app/resource'
import { callAs, callAsResident, findingsOf, open, openAs, openBrowser, url } from './harness'

let browser: Browser
let resources: Resource[]
beforeAll(async () => {
  browser = await openBrowser()
  vi.stubGlobal('location', new URL(url))
  resources = (await import('../../src/app/resources')).resources
  await setScene()
})
afterAll(() => browser.close())

type Call = Awaited<ReturnType<typeof callAs>>
let operator: Call

/** Lists that the demo leaves empty get a row each: what somebody asked for, a run of the audit, and the seal that the first night makes. */
async function setScene() {
  operator = await callAs('operator')
  const auditor = await callAs('auditor')
  await auditor('POST', '/audit-runs')
  for (const job of ['ledger.seal_links', 'ledger.seal']) await operator('POST', `/jobs/${job}/runs`)
  await vi.waitFor(async () => expect((await auditor('GET', '/seals')).items).not.toEqual([]), { timeout: 30_000, interval: 500 })
  const resident = await callAsResident()
  const record = (await resident('GET', '/service-records?state=effective&limit=1')).items[0]
  const today = new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai' }).format(new Date())
  // Asked before already, when the flows were walked first.
  await resident('POST', `/service-records/${record.id}/corrections`, { text: '开始时间早记了十分钟' }).catch(() => undefined)
  await resident('POST', '/certificates', { purpose: '入学', from: `${today.slice(0, 4)}-01-01`, to: today }).catch(() => undefined)
}

/** What an address names beside the object itself; a merchant that is not open yet has no store, but a form for one. */
const within: Record<string, (id: string) => Promise<string>> = {
  store: async (merchant) => (await operator('GET', `/merchants/${merchant}/stores`)).items[0]?.id ?? 'new',
  shift: async (activity) => (await operator('GET', `/activities/${activity}`)).shifts[0].id,
}

/** The routes of a resource that a role may open, lists before what is opened from them. */
const routesOf = (r: Resource, role: Role) =>
  r.routes.filter((route) => ((route.meta?.roles as Role[] | undefined) ?? r.roles).includes(role)).map((route) => `/${route.path}`)

/** Where the first row of what is shown leads to, among the objects of a resource. */
async function firstRow(page: Page, detail: string, taken: string[]): Promise<string | undefined> {
  const shape = new RegExp(`^/console(${detail.replace(/:\w+/g, '[^/?#]+')})$`)
  const hrefs = await page.locator('main a').evaluateAll((all) => all.map((a) => new URL((a as HTMLAnchorElement).href).pathname))
  return hrefs.map((h) => shape.exec(h)?.[1]).find((path) => path && !taken.includes(path))
}

/** What is wrong with a page, in both looks. */
async function look(page: Page): Promise<string[]> {
  const wrong = await findingsOf(page)
  const beyond = await page.evaluate(() => [document.documentElement, document.querySelector('main')!].map((e) => e.scrollWidth - e.clientWidth))
  if (beyond.some((px) => px > 0)) wrong.push(`${page.url()} is too wide: ${beyond.join(', ')} px`)
  const words = /.{0,30}(undefined|NaN|\[object|Invalid Date|\bnull\b).{0,30}/.exec(await page.locator('main').innerText())
  if (words) wrong.push(`${page.url()} says: ${words[0]}`)
  await page.getByRole('button', { name: '换成深色' }).click()
  wrong.push(...(await findingsOf(page, ['color-contrast'])).map((f) => `dark: ${f}`))
  await page.getByRole('button', { name: '换成浅色' }).click()
  return wrong
}

const people: [string, Role][] = [['operator', 'operator'], ['auditor', 'auditor'], ['organizer', 'organizer'], ['gridworker', 'grid_worker'], ['owner', 'merchant_owner'], ['clerk', 'clerk']]

test.each(people)('%s opens every list, its first row and the forms beside it, in both looks at 1024 px', async (username, role) => {
  const { page, leave } = await openAs(browser, username)
  await page.setViewportSize({ width: 1024, height: 900 })
  const wrong: string[] = []
  const unseen: string[] = []
  for (const path of ['/', '/messages', '/security', ...(role === 'clerk' ? [] : ['/exports'])]) {
    await open(page, path)
    wrong.push(...(await look(page)))
  }
  for (const r of resources.filter((x) => x.roles.includes(role))) {
    const routes = routesOf(r, role)
    const plain = routes.filter((p) => !p.includes(':'))
    const detail = routes.find((p) => /^\/[\w-]+\/:\w+$/.test(p))
    let found: string | undefined
    for (const path of plain) {
      await open(page, path)
      expect(new URL(page.url()).pathname).toBe(`/console${path}`)
      wrong.push(...(await look(page)))
      if (detail) found ??= await firstRow(page, detail, plain)
    }
    for (const route of routes.filter((p) => p.includes(':'))) {
      if (!found) {
        unseen.push(route)
        continue
      }
      const id = found.split('/')[2]!
      let path = route.replace(/:\w+/, id)
      const inner = /:(\w+)/.exec(path)?.[1]
      if (inner) path = path.replace(/:\w+/, await within[inner]!(id))
      await open(page, path)
      await page.getByRole('main').getByRole('heading').first().waitFor()
      wrong.push(...(await look(page)))
    }
  }
  // The demo county has a row of everything.
  expect(unseen).toEqual([])
  expect(wrong).toEqual([])
  await leave()
})
