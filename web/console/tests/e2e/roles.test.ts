import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectAccessible, menuOf, open, openAs, openBrowser, shot } from './harness'

let browser: Browser
beforeAll(async () => void (browser = await openBrowser()))
afterAll(() => browser.close())

// What each role sees, one page that it may not, and the pages to look at.
const roles = [
  {
    username: 'operator', refused: '',
    menu: ['首页', '看板', '事件', '志愿活动', '商户', '福利', '结算期', '结算单', '积分预算', '积分规则', '调账', '居民异议', '工作人员', '定时任务', '操作留痕', '每日封存'],
    pages: ['/dashboard', '/cases', '/merchants', '/merchants/new', '/periods', '/budgets', '/rules', '/adjustments', '/staff', '/jobs', '/audit'],
  },
  {
    username: 'auditor', refused: '/merchants/new',
    menu: ['首页', '看板', '事件', '志愿活动', '商户', '福利', '结算期', '结算单', '积分预算', '积分规则', '调账', '居民异议', '工作人员', '定时任务', '操作留痕', '每日封存'],
    pages: ['/seals', '/statements', '/objections'],
  },
  { username: 'organizer', refused: '/merchants', menu: ['首页', '志愿活动'], pages: ['/activities', '/activities/new'] },
  { username: 'gridworker', refused: '/staff', menu: ['首页', '事件'], pages: ['/cases', '/cases/list'] },
  { username: 'owner', refused: '/cases', menu: ['首页', '商户', '福利', '结算单', '工作人员'], pages: ['/benefits', '/benefits/new', '/statements'] },
  { username: 'clerk', refused: '/statements', menu: ['首页', '福利'], pages: ['/benefits'] },
]

test.each(roles)('$username sees only the own menu, and is told of a page that is not', async ({ username, menu, refused, pages }) => {
  const { page, leave } = await openAs(browser, username)
  expect(await menuOf(page)).toEqual(menu)
  await expectAccessible(page)
  await shot(page, `${username}-start`)
  for (const path of pages) {
    await open(page, path)
    expect(new URL(page.url()).pathname).toBe(`/console${path}`)
    await expectAccessible(page)
    await shot(page, username + path.replaceAll('/', '-'))
  }
  if (refused) {
    await open(page, refused)
    await page.getByText('您没有查看这个页面的权限').waitFor()
  }
  await leave()
})

test('the dark look keeps its contrast', async () => {
  const { page, leave } = await openAs(browser, 'operator', { dark: true })
  for (const path of ['/', '/cases', '/merchants', '/merchants/new']) {
    await open(page, path)
    await expectAccessible(page)
    await shot(page, 'dark' + path.replaceAll('/', '-'))
  }
  await leave()
})
