import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, cinemaTicket, moviegoer, orderTicket, residentToken, settle, staffToken, tokenOf } from './calls'
import { asResident, expectAccessible, expectReachable, heading, open, openBrowser, press, settled, shot } from './harness'
import { walk } from './looks'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser?.close())

/** What the clerk reads from the phone: the digits, and which store may redeem them. */
async function atTheCounter(page: Page): Promise<{ short_code: string; store_id: string }> {
  const digits = await page.locator('.digits').innerText()
  const stores = await page.evaluate(() => {
    const key = Object.keys(localStorage).find((k) => k.startsWith('jmk.cache.code.'))!
    // uni-app wraps what it stores.
    const raw = JSON.parse(localStorage.getItem(key)!) as { type?: string; data?: string }
    return (JSON.parse(raw.data ?? JSON.stringify(raw)) as { order: { stores: { id: string }[] } }).order.stores
  })
  return { short_code: digits.replace(/\s/g, ''), store_id: stores[0]!.id }
}

let kept: Promise<string> | undefined
/** An order of wang's that stays open. */
const openOrder = () => (kept ??= residentToken('wang').then(orderTicket))
const ticketPage = async (page: string) => `spend/${page}/index?id=${(await cinemaTicket(await residentToken('wang'))).id}`

walk((settings) => asResident(browser, 'wang', settings), [
  { name: 'market', path: 'pages/market/index', title: '福利', shows: '还剩' },
  { name: 'benefit', path: () => ticketPage('benefit'), title: '福利详情', shows: '我要兑换' },
  { name: 'confirm', path: () => ticketPage('confirm'), title: '确认兑换', shows: '兑换后可用' },
  { name: 'orders', path: 'spend/orders/index', title: '我的兑换单', shows: '核销' },
  { name: 'order', path: async () => `spend/order/index?id=${await openOrder()}`, title: '兑换单', shows: '已兑换，积分冻结' },
  { name: 'code', path: async () => `spend/code/index?id=${await openOrder()}`, title: '核销码', shows: '请把这个码给店员扫' },
])

describe('market', () => {
  it('finds by words, category and what the points are enough for, and says so when nothing fits', async () => {
    const { page, leave } = await asResident(browser, 'wang')
    await open(page, 'pages/market/index')
    await page.locator('.benefit').first().waitFor()
    await page.locator('input').first().fill('电影票')
    await press(page, '搜')
    await page.locator('.benefit').nth(5).waitFor({ state: 'detached' })
    expect(await page.locator('.benefit .name').allInnerTexts()).toContain('电影票一张')
    await page.locator('input').first().fill('没有这样的东西')
    await press(page, '搜')
    await page.getByText('没有符合的福利').waitFor()
    await press(page, '看全部福利')
    await page.locator('.benefit').nth(5).waitFor()
    await leave()
  })

  it('sorts by distance once the phone tells where it is', async () => {
    const { page, context, leave } = await asResident(browser, 'wang')
    await open(page, 'pages/market/index')
    await press(page, '离我近的')
    await page.getByText('没有得到您的位置').waitFor()
    await context.grantPermissions(['geolocation'])
    await context.setGeolocation({ longitude: 120.69, latitude: 30.52 })
    await press(page, '离我近的')
    await page.locator('.where', { hasText: /米|公里/ }).first().waitFor()
    const meters = (await page.locator('.where').allInnerTexts()).map((t) => /([\d.]+)(米|公里)/.exec(t)).filter((m) => m !== null).map((m) => Number(m[1]) * (m[2] === '公里' ? 1000 : 1))
    expect(meters.length).toBeGreaterThan(1)
    expect(meters).toEqual([...meters].sort((a, b) => a - b))
    await leave()
  })

  it('says how many points are missing and lets nothing be ordered', async () => {
    const { page, leave } = await asResident(browser, 'poor' + Date.now().toString(36))
    await open(page, 'pages/me/index')
    const token = await tokenOf(page)
    await settle(token)
    const ticket = await cinemaTicket(token)
    await open(page, `spend/benefit/index?id=${ticket.id}`)
    await page.getByText('还差 5 分。').waitFor()
    await shot(page, 'benefit-short')
    await page.locator('[role=button]', { hasText: '积分还差 5 分' }).click({ force: true })
    await settled(page)
    expect(await heading(page, '福利详情').count()).toBe(1)
    expect((await call<{ items: unknown[] | null }>(token, 'GET', '/mp/v1/orders')).items ?? []).toEqual([])
    await leave()
  })
})

describe('order', () => {
  it('takes the cinema ticket from the market to "redeemed" in two taps and a clerk', async () => {
    const { page, leave } = await asResident(browser, await moviegoer())
    await open(page, 'pages/market/index')
    await page.locator('input').first().fill('电影票一张')
    await press(page, '搜')
    await page.locator('.benefit', { hasText: '电影票一张' }).first().click()
    await press(page, '我要兑换')
    await page.getByText('¥30').first().waitFor()
    await press(page, '确认兑换')
    await heading(page, '核销码').waitFor()
    await page.locator('.digits').waitFor()
    await shot(page, 'code-normal')
    await expectAccessible(page)
    await expectReachable(page)

    const clerk = await staffToken('clerk')
    await call(clerk, 'POST', '/api/v1/redemptions', await atTheCounter(page))
    await page.getByText('已核销').waitFor({ timeout: 15_000 })
    expect(await page.locator('.digits').count()).toBe(0)
    await page.getByText('付给商户 ¥30').waitFor()
    await shot(page, 'code-redeemed')
    await expectAccessible(page)
    await leave()
  })

  it('keeps its key when the answer gets lost, so that a second tap orders nothing twice', async () => {
    const { page, context, leave } = await asResident(browser, 'li')
    await open(page, 'pages/me/index')
    const token = await tokenOf(page)
    const benefit = await cinemaTicket(token)
    const before = (await call<{ items: unknown[] }>(token, 'GET', '/mp/v1/orders?status=held&limit=100')).items.length
    const seen: string[] = []
    await context.route('**/mp/v1/orders', async (route) => {
      if (route.request().method() !== 'POST') return route.fallback()
      seen.push(route.request().headers()['idempotency-key']!)
      if (seen.length > 1) return route.fallback()
      await route.fetch() // the server has done it
      return route.abort('connectionreset') // and nobody hears of it
    })
    await open(page, `spend/confirm/index?id=${benefit.id}`)
    await press(page, '确认兑换')
    await page.getByText('再点一次不会重复兑换').waitFor()
    await press(page, '确认兑换')
    await heading(page, '核销码').waitFor()
    expect(seen).toHaveLength(2)
    expect(seen[1]).toBe(seen[0])
    expect((await call<{ items: unknown[] }>(token, 'GET', '/mp/v1/orders?status=held&limit=100')).items.length).toBe(before + 1)
    await leave()
  })

  it('shows the code without a network for the rest of its life, and no longer', async () => {
    const { page, context, leave } = await asResident(browser, 'chen')
    await open(page, 'pages/me/index')
    const id = await orderTicket(await tokenOf(page))
    await page.clock.install()
    await open(page, `spend/code/index?id=${id}`)
    // Codes change on the server's half minutes: begin with one that is new.
    const secondsLeft = async () => Number(/^\d+/.exec(await page.getByText(/^\d+ 秒后$/).innerText())?.[0])
    await expect.poll(secondsLeft, { timeout: 20_000 }).toBeGreaterThan(20)
    const digits = await page.locator('.digits').innerText()
    await context.setOffline(true)
    await page.clock.fastForward('00:31') // a new code is due now
    await page.getByText('这个码还能用').waitFor()
    expect(await page.locator('.digits').innerText()).toBe(digits)
    await shot(page, 'code-offline')
    await expectAccessible(page)
    await page.clock.fastForward('10:00')
    await page.getByText('这个码已经过了时间').waitFor()
    expect(await page.locator('.digits').count()).toBe(0)
    await context.setOffline(false)
    await press(page, '再取一次')
    await page.getByText('已经过了时间').waitFor({ state: 'detached' })
    await leave()
  })

  it('gives the points back when it is cancelled', async () => {
    const { page, leave } = await asResident(browser, 'zhang')
    await open(page, 'pages/me/index')
    const id = await orderTicket(await tokenOf(page))
    await open(page, `spend/order/index?id=${id}`)
    await shot(page, 'order-held')
    await press(page, '取消这次兑换')
    await press(page, '确定取消')
    await page.getByText('已取消，退回 5 分').waitFor()
    await page.getByText('出示核销码').waitFor({ state: 'detached' })
    await leave()
  })
})
