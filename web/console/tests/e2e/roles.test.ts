import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectAccessible, menuOf, open, openAs, openBrowser, shot } from './harness'

let browser: Browser
beforeAll(async () => void (browser = await openBrowser()))
afterAll(() => browser.close())

// What each role sees, pages that it may not, and the pages to look at.
const overseen = ['首页', '看板', '事件', '播报', '志愿活动', '班次日历', '服务记录', '记录更正', '服务证明', '商户', '福利', '兑换单', '结算期', '结算单', '积分预算', '积分规则', '调账', '居民异议', '待补发积分', '居民', '地区', '工作人员', '全面对账', '操作留痕', '两人复核', '每日封存', '定时任务', '系统设置']
const roles = [
  {
    username: 'operator', refused: [], menu: overseen,
    pages: ['/dashboard', '/cases', '/articles', '/merchants', '/merchants/new', '/orders', '/periods', '/budgets', '/rules', '/rules/new', '/adjustments', '/residents', '/regions', '/staff', '/jobs', '/audit', '/security', '/exports', '/messages'],
  },
  { username: 'auditor', refused: ['/merchants/new', '/articles/new', '/rules/new', '/redemptions'], menu: overseen, pages: ['/seals', '/statements', '/objections'] },
  { username: 'organizer', refused: ['/merchants', '/residents', '/regions'], menu: ['首页', '志愿活动', '班次日历', '服务记录', '记录更正', '服务证明'], pages: ['/activities', '/activities/new'] },
  { username: 'gridworker', refused: ['/staff', '/orders'], menu: ['首页', '事件'], pages: ['/cases', '/cases/list'] },
  { username: 'owner', refused: ['/cases', '/budgets', '/residents'], menu: ['首页', '核销', '商户', '福利', '兑换单', '结算单', '工作人员'], pages: ['/benefits', '/benefits/new', '/redemptions', '/orders', '/statements', '/staff'] },
  { username: 'clerk', refused: ['/statements', '/staff'], menu: ['首页', '核销', '福利', '兑换单'], pages: ['/benefits'] },
]

test.each(roles)('$username sees only the own menu, and is told of pages that are not', async ({ username, menu, refused, pages }) => {
  const { page, leave } = await openAs(browser, username)
  await shot(page, `${username}-start`)
  for (const path of pages) {
    await open(page, path)
    expect(new URL(page.url()).pathname).toBe(`/console${path}`)
    await shot(page, username + path.replaceAll('/', '-'))
  }
  for (const path of refused) {
    await open(page, path)
    await page.getByText('您没有查看这个页面的权限').waitFor()
  }
  expect(await menuOf(page)).toEqual(menu) // at the end: it opens what the pictures show as it is at first
  await leave()
})

test('the dark look keeps its contrast where something is typed or drawn', async () => {
  const { page, leave } = await openAs(browser, 'operator', { dark: true })
  for (const path of ['/', '/dashboard', '/cases', '/merchants/new', '/articles/new', '/regions']) {
    await open(page, path)
    await expectAccessible(page)
    await shot(page, 'dark' + path.replaceAll('/', '-'))
  }
  await leave()
})

test('the menu opens and closes by subject, stays as it was left, and fits a window of 900 px', async () => {
  const { page, leave } = await openAs(browser, 'operator')
  const nav = page.getByRole('navigation', { name: '主菜单' })
  const subject = nav.getByRole('button', { name: '积分', exact: true })
  const shown = () => nav.getByRole('link').allTextContents()
  // At first the subject one is in, and the first.
  await open(page, '/merchants')
  expect(await shown()).toEqual(['首页', '看板', '事件', '播报', '商户', '福利', '兑换单', '结算期', '结算单'])
  expect(await page.locator('aside').first().evaluate((e) => e.scrollHeight - e.clientHeight)).toBeLessThanOrEqual(0)
  expect(await subject.getAttribute('aria-expanded')).toBe('false')
  await subject.focus()
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('积分预算')
  await page.reload()
  await nav.getByRole('link', { name: '积分预算' }).waitFor()
  await subject.press(' ')
  await nav.getByRole('link', { name: '积分预算' }).waitFor({ state: 'hidden' })
  // Closed by hand it stays closed, and says that one is in it.
  await open(page, '/rules')
  expect(await shown()).not.toContain('积分规则')
  await expect.poll(() => subject.getAttribute('class')).toContain('holds')
  await leave()
  const few = await openAs(browser, 'owner')
  await few.page.getByRole('banner').getByText('店主 · 海宁横店影城').waitFor() // where one works, not the region that it lies in
  expect(await few.page.getByRole('navigation', { name: '主菜单' }).getByRole('button', { expanded: false }).count()).toBe(0)
  await few.leave()
})
