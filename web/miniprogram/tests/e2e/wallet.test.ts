import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, fresh, residentToken, runJob, settle, staffToken, tokenOf } from './calls'
import { asResident, expectAccessible, expectReachable, heading, open, openBrowser, press, shot } from './harness'
import { walk, type Screen } from './looks'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
  // What the night does: the wallets' chains are linked and sealed, so that there is a proof to show.
  await runJob('ledger.seal_links')
  await runJob('ledger.seal')
})
afterAll(() => browser?.close())

const firstEarning = async () => {
  const entries = await call<{ items: { id: string }[] }>(await residentToken('zhang'), 'GET', '/mp/v1/wallet/entries?kind=earn&limit=1')
  return entries.items[0]!.id
}

const screens: Screen[] = [
  { name: 'wallet', path: 'pages/wallet/index', title: '积分', shows: '最近的变化' },
  { name: 'wallet-entries', path: 'wallet/entries/index', title: '积分明细', shows: /做志愿|签到|播报/ },
  { name: 'wallet-entry', path: async () => `wallet/entry/index?id=${await firstEarning()}`, title: '为什么是这个数', shows: '当时的规则' },
  { name: 'wallet-months', path: 'wallet/months/index', title: '按月汇总', shows: '看这个月的明细' },
  { name: 'wallet-expiry', path: 'wallet/expiry/index', title: '到期日历', shows: '用到' },
  { name: 'wallet-objections', path: 'wallet/objections/index', title: '我的异议', shows: '没有异议' },
  { name: 'wallet-objection', path: async () => `wallet/objection/index?id=${await firstEarning()}`, title: '提出异议', shows: '您要问的是这一笔' },
  { name: 'wallet-proof', path: 'wallet/proof/index', title: '账户证明', shows: '您的账户在最近一次封存里面' },
  { name: 'wallet-leaderboard', path: 'wallet/leaderboard/index', title: '榜单', shows: '让邻里在榜上看到我' },
  { name: 'messages', path: 'pages/messages/index', title: '消息', shows: '也在微信里告诉我' },
  { name: 'account-subscriptions', path: 'account/subscriptions/index', title: '微信通知', shows: '本县还没有开通微信通知' },
]
walk((settings) => asResident(browser, 'zhang', settings), screens)

describe('wallet', () => {
  it('says of each entry why it is what it is, and narrows the list by kind', async () => {
    const { page, leave } = await asResident(browser, 'wang')
    await open(page, 'wallet/entries/index')
    await page.locator('.entry').first().waitFor()
    await press(page, '获得')
    await page.locator('.hint', { hasText: '获得' }).first().waitFor()
    await page.locator('.hint', { hasText: '兑换' }).first().waitFor({ state: 'detached' })
    await press(page, '上个月')
    await page.locator('.entry').first().waitFor()
    await page.locator('.entry').first().click()
    await heading(page, '为什么是这个数').waitFor()
    await page.getByText('当时的规则').waitFor()
    expect(await page.getByText(/规则第 \d+ 版/).count()).toBe(1)
    await shot(page, 'wallet-entry-normal')
    await expectAccessible(page)
    await expectReachable(page)
    await leave()
  })

  it('keeps a draft of an objection, files it, shows the answer and closes it', async () => {
    const { page, leave } = await asResident(browser, 'li')
    await open(page, 'wallet/entries/index')
    await press(page, '获得')
    await page.locator('.hint', { hasText: '兑换' }).first().waitFor({ state: 'detached' })
    await page.locator('.entry').first().click()
    await press(page, '对这一笔提出异议')
    await page.locator('textarea').first().fill('那天我读了两篇，只记了一篇的分')
    await page.reload()
    await page.locator('textarea').first().waitFor()
    expect(await page.locator('textarea').first().inputValue()).toContain('只记了一篇')
    await shot(page, 'wallet-objection-normal')
    await expectAccessible(page)
    await press(page, '提出异议')
    await page.getByText('已经提出').waitFor()

    const operator = await staffToken('operator')
    const open1 = (await call<{ items: { id: string }[] }>(operator, 'GET', '/api/v1/objections?status=open')).items[0]!
    await call(operator, 'POST', `/api/v1/objections/${open1.id}/answer`, { answer: '查过记录，第二篇没有读完，所以没有记分。' })
    await open(page, 'wallet/objections/index')
    await page.getByText('第二篇没有读完').waitFor()
    await shot(page, 'wallet-objections-answered')
    await press(page, '已经解决，结束')
    await press(page, '确定结束')
    await page.locator('.tag', { hasText: '已结束' }).waitFor()
    await leave()
  })

  it('shows nobody on the leaderboard who has not asked for it, and hides the name again at once', async () => {
    const { page, leave } = await asResident(browser, 'board' + fresh())
    await open(page, 'pages/me/index')
    const token = await tokenOf(page)
    await settle(token)
    await call(token, 'PATCH', '/mp/v1/profile', { nickname: '亓官梅' })
    await call(token, 'POST', '/mp/v1/sign-ins')
    await runJob('leaderboard.build')
    const neighbour = await residentToken('li')
    const seen = async () => {
      const names: string[] = []
      for (let cursor = ''; ; ) {
        const board = await call<{ items: { masked_name: string }[]; next: string }>(neighbour, 'GET', `/mp/v1/leaderboard?kind=week&level=county&limit=100&cursor=${encodeURIComponent(cursor)}`)
        names.push(...board.items.map((e) => e.masked_name))
        if (!board.next) return names.filter((n) => n.startsWith('亓'))
        cursor = board.next
      }
    }

    await open(page, 'wallet/leaderboard/index')
    await page.locator('[role=switch][aria-checked=false]').waitFor()
    await page.getByText('现在别人看不到您').waitFor()
    expect(await seen()).toEqual([])
    await press(page, '让邻里在榜上看到我')
    await page.locator('[role=switch][aria-checked=true]').waitFor()
    await runJob('leaderboard.consents') // each minute
    await open(page, 'wallet/leaderboard/index')
    await page.reload()
    await page.locator('.place.me', { hasText: '亓**' }).waitFor()
    expect(await seen()).toEqual(['亓**'])
    await press(page, '让邻里在榜上看到我')
    await page.locator('[role=switch][aria-checked=false]').waitFor()
    expect(await seen()).toEqual([])
    await leave()
  })

  it('says so when the code of a page cannot be fetched, and opens it after a retry', async () => {
    const { page, context, leave } = await asResident(browser, 'zhang')
    await open(page, 'pages/wallet/index')
    await page.getByText('最近的变化').waitFor()
    await context.setOffline(true)
    await press(page, '按月汇总')
    await heading(page, '没有打开').waitFor()
    await page.getByText('没有连上网络').waitFor()
    await expectAccessible(page)
    await press(page, '再试一次') // still without a network: the app stays
    await page.getByText('没有连上网络').waitFor()
    await context.setOffline(false)
    await press(page, '再试一次')
    await heading(page, '按月汇总').waitFor()
    await page.getByText('看这个月的明细').first().waitFor()
    await leave()
  })

  it('shows an empty wallet and its retry after a failure', async () => {
    const { page, context, leave } = await asResident(browser, 'empty' + Date.now().toString(36))
    await open(page, 'pages/me/index')
    await settle(await tokenOf(page))
    await context.route('**/mp/v1/wallet', (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{}' }))
    await open(page, 'pages/wallet/index')
    await page.getByText('请稍等一下').waitFor()
    await context.unroute('**/mp/v1/wallet')
    await press(page, '再试一次')
    await page.getByText('还没有积分变化').waitFor()
    await open(page, 'wallet/expiry/index')
    await page.getByText('没有会到期的积分').waitFor()
    await leave()
  })
})

describe('messages', () => {
  it('marks a message as read and leads to what it is about', async () => {
    const { page, leave } = await asResident(browser, 'wang')
    await open(page, 'pages/messages/index')
    await page.locator('.message').first().waitFor()
    const lead = page.locator('.message', { hasText: '去看看' }).first()
    await lead.click()
    await page.locator('.message').first().waitFor({ state: 'hidden' })
    expect(page.url()).not.toContain('messages')
    await leave()
  })
})
