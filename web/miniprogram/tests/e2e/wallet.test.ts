import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, settle, staffToken, tokenOf } from './calls'
import { asResident, expectAccessible, expectReachable, heading, open, openBrowser, press, shot } from './harness'
import { looks } from './looks'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser?.close())

/** Each screen with the words that show that its content has come. */
const screens: [string, string, string][] = [
  ['pages/wallet/index', '积分', '最近的变化'],
  ['wallet/entries/index', '积分明细', '为什么'],
  ['wallet/months/index', '按月汇总', '看这个月的明细'],
  ['wallet/expiry/index', '到期日历', '用到'],
  ['wallet/objections/index', '我的异议', '没有异议'],
  ['wallet/proof/index', '账户证明', '封条号'],
  ['wallet/leaderboard/index', '榜单', '让邻里在榜上看到我'],
  ['pages/messages/index', '消息', '也在微信里告诉我'],
  ['account/subscriptions/index', '微信通知', '在微信里给我发通知'],
]

describe('wallet', () => {
  it.each(looks)('screens are readable by everyone ($name)', async ({ name, settings }) => {
    const { page, leave } = await asResident(browser, 'zhang', settings)
    for (const [path, title, words] of screens) {
      await open(page, path)
      await heading(page, title).waitFor()
      await page.getByText(words).first().waitFor()
      await shot(page, `${path.replace(/\/index$/, '').replace('/', '-')}-${name}`)
      await expectAccessible(page)
      await expectReachable(page)
    }
    await leave()
  })

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

  it('keeps the leaderboard closed to others until the switch is on, and hides the name again at once', async () => {
    const { page, leave } = await asResident(browser, 'chen')
    await open(page, 'wallet/leaderboard/index')
    const toggle = page.locator('[role=switch]')
    await toggle.waitFor()
    const was = await toggle.getAttribute('aria-checked')
    const token = await tokenOf(page)
    const consents = () => call<{ items: { purpose: string; granted: boolean }[] }>(token, 'GET', '/mp/v1/consents').then((a) => a.items.find((c) => c.purpose === 'leaderboard')?.granted ?? false)
    expect(await consents()).toBe(was === 'true')
    for (const on of was === 'true' ? [false, true] : [true, false]) {
      await toggle.click()
      await page.locator(`[role=switch][aria-checked=${on}]`).waitFor()
      expect(await consents()).toBe(on)
    }
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
