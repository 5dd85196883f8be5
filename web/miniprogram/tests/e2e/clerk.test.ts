import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, fresh, moviegoer, orderTicket, residentToken, staffToken, type Benefit } from './calls'
import { filmOf, filmOfNothing } from './film'
import { asResident, asStaff, expectAccessible, expectReachable, heading, open, openBrowser, press, settled, shot } from './harness'
import { walk } from './looks'

const folder = mkdtempSync(join(tmpdir(), 'jmk-film-'))
const film = join(folder, 'qr.y4m')
// One step of half a minute, and the one after it.
const codeLifeMs = 61_000
let browser: Browser
/** A code that nobody has used, taken when the file begins: at its end it has grown old. */
let early: { order: Awaited<ReturnType<typeof ordered>>; code: Code; at: number }
beforeAll(async () => {
  filmOfNothing(film)
  browser = await openBrowser(film)
  const order = await ordered()
  early = { order, code: await order.code(), at: Date.now() }
})
afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true })
})

interface Code {
  code: string
  short_code: string
}

/** An order for the cinema ticket, each time another resident's, as the phone shows it at the counter. */
async function ordered() {
  const name = await moviegoer()
  const token = await residentToken(name)
  const id = await orderTicket(token)
  return {
    id,
    name,
    code: () => call<Code>(token, 'GET', `/mp/v1/orders/${id}/code`),
    status: async () => (await call<{ status: string }>(token, 'GET', `/mp/v1/orders/${id}`)).status,
  }
}

/** Opens the scanner with a store chosen. */
async function atTheCounter(page: Page): Promise<void> {
  await open(page, 'clerk/scan/index')
  await page.getByText('开始扫码').or(page.getByText('选择门店')).first().waitFor()
  if (await page.getByText('先选您在哪家门店').count()) {
    await press(page, '选择门店')
    await page.locator('.card [role=button]').first().click()
    await page.getByText('开始扫码').waitFor()
  }
}

async function type(page: Page, digits: string): Promise<void> {
  await page.locator('input:visible').first().fill(digits)
  await press(page, '用输入的码')
  await heading(page, '确认核销').waitFor()
  await settled(page)
}

describe('clerk', () => {
  it('reads a code with the camera, sees what to hand over and how much to take, and redeems once', async () => {
    const order = await ordered()
    const customer = await asResident(browser, order.name)
    await open(customer.page, `spend/code/index?id=${order.id}`)
    await customer.page.locator('.digits').waitFor()
    const { page, leave } = await asStaff(browser, 'clerk')
    await atTheCounter(page)
    await filmOf(customer.page, film)
    await press(page, '开始扫码')
    await page.getByText('请收现金').waitFor()
    await page.getByText('¥30', { exact: true }).waitFor()
    await shot(page, 'clerk-redeem-normal')
    await expectAccessible(page)
    await expectReachable(page)
    await press(page, '确认核销')
    await page.getByText('核销成功').waitFor()
    await shot(page, 'clerk-done-normal')
    await expectAccessible(page)
    expect(await order.status()).toBe('redeemed')
    await customer.leave()
    await leave()
  })

  it('repeats a confirmation that got no answer without redeeming twice', async () => {
    const order = await ordered()
    const { page, leave } = await asStaff(browser, 'clerk')
    await atTheCounter(page)
    await type(page, (await order.code()).short_code)
    const seen: string[] = []
    await page.route('**/api/v1/redemptions', async (route) => {
      seen.push((await route.request().headerValue('idempotency-key'))!)
      if (seen.length > 1) return route.fallback()
      await route.fetch() // the server does it, the answer is lost
      return route.abort()
    })
    await press(page, '确认核销')
    await page.getByText('再点一次不会重复核销').waitFor()
    await press(page, '确认核销')
    await page.getByText('核销成功').waitFor()
    expect(new Set(seen).size).toBe(1)
    expect(seen.length).toBe(2)
    await leave()
  })

  it('refuses a used and a forged code, and says what to do', async () => {
    const order = await ordered()
    const { page, leave } = await asStaff(browser, 'clerk')
    await atTheCounter(page)
    const digits = (await order.code()).short_code
    await type(page, digits)
    await press(page, '确认核销')
    await page.getByText('核销成功').waitFor()
    await press(page, '继续扫下一位')
    await page.getByText('开始扫码').waitFor()
    await type(page, digits)
    await page.getByText('不能再次核销').waitFor()
    await page.getByText('请不要再交付').waitFor()
    await shot(page, 'clerk-refused-normal')
    await expectAccessible(page)
    await press(page, '重新扫码')
    await page.getByText('开始扫码').waitFor()
    await type(page, 'JMK1.forged-100%.code')
    await page.getByText('不能核销').waitFor()
    await page.getByText('接下来怎么办').waitFor()
    await leave()
  })

  it('refuses the code of another merchant', async () => {
    const token = await residentToken(await moviegoer())
    const benefits = (await call<{ items: (Benefit & { merchant_name: string; on_sale: boolean })[] }>(token, 'GET', '/mp/v1/benefits?affordable=true&limit=50')).items
    const elsewhere = benefits.find((b) => b.my_left > 0 && b.on_sale && !b.merchant_name.includes('影城'))!
    const { id } = await call<{ id: string }>(token, 'POST', '/mp/v1/orders', { benefit_id: elsewhere.id })
    const { page, leave } = await asStaff(browser, 'clerk')
    await atTheCounter(page)
    await type(page, (await call<Code>(token, 'GET', `/mp/v1/orders/${id}/code`)).code)
    await page.getByText('这是其他商户的核销码').waitFor()
    await page.getByText('请不要交付，也不要收钱').waitFor()
    await leave()
  })

  it('lets a clerk whose store has closed change to another, and looks at the code again', async () => {
    const owner = await staffToken('owner')
    const self = await call<{ grants: { merchant_id: string }[] }>(owner, 'GET', '/api/v1/auth/self')
    const { id } = await call<{ id: string }>(owner, 'POST', `/api/v1/merchants/${self.grants[0]!.merchant_id}/stores`, { name: '流动售票点 ' + fresh(), address: '文化广场', lon: 120.68, lat: 30.51 })
    const order = await ordered()
    const { page, leave } = await asStaff(browser, 'clerk')
    await open(page, 'clerk/scan/index')
    await page.getByText('先选您在哪家门店').waitFor()
    await press(page, '选择门店')
    await press(page, '流动售票点')
    await page.getByText('开始扫码').waitFor()
    await page.getByText('流动售票点').waitFor()
    await call(owner, 'POST', `/api/v1/stores/${id}/close`, {})
    await type(page, (await order.code()).short_code)
    await page.getByText('本门店已停业').waitFor()
    await expectAccessible(page)
    await press(page, '换门店')
    await heading(page, '选择门店').waitFor()
    await press(page, '海宁横店影城')
    await page.getByText('请收现金').waitFor()
    await press(page, '已收钱，确认核销')
    await page.getByText('核销成功').waitFor()
    expect(await order.status()).toBe('redeemed')
    await leave()
  })

  it('undoes a redemption of today with a reason', async () => {
    const order = await ordered()
    const { page, leave } = await asStaff(browser, 'clerk')
    await atTheCounter(page)
    await type(page, (await order.code()).short_code)
    await press(page, '确认核销')
    await page.getByText('核销成功').waitFor()
    await open(page, 'clerk/today/index')
    await press(page, '撤销')
    await page.getByRole('radio', { name: '其他' }).click()
    expect(await page.getByRole('button', { name: '确定撤销' }).getAttribute('aria-disabled')).toBe('true') // "other" needs its words
    await page.getByRole('radio', { name: '扫错了' }).click()
    await shot(page, 'clerk-undo')
    await press(page, '确定撤销')
    await page.getByText('请把现金 ¥30 退给顾客').waitFor()
    await page.getByText('撤销原因：扫错了').first().waitFor()
    expect(await order.status()).toBe('reversed')
    await leave()
  })

  walk((settings) => asStaff(browser, 'clerk', settings), [
    { name: 'clerk-scan', path: 'clerk/scan/index', title: '扫码核销', shows: '开始扫码' },
    { name: 'clerk-redeem', path: async () => `clerk/redeem/index?code=${(await (await ordered()).code()).short_code}`, title: '确认核销', shows: '请收现金' },
    { name: 'clerk-today', path: 'clerk/today/index', title: '今天的核销', shows: '收现金' },
    { name: 'clerk-stores', path: 'clerk/stores/index', title: '选择门店', shows: '正在用' },
  ])
  // On phones of its own: a browser that is sent to a page which it has open already stays where it is.
  walk((settings) => asStaff(browser, 'clerk', settings), [{ name: 'clerk-refused', path: 'clerk/redeem/index?code=JMK1.forged', title: '确认核销', shows: '接下来怎么办' }])

  it('refuses a code whose time is over', async () => {
    const patience = early.at + codeLifeMs - Date.now()
    if (patience > 0) await new Promise((next) => setTimeout(next, patience))
    const { page, leave } = await asStaff(browser, 'clerk')
    await atTheCounter(page)
    await type(page, early.code.short_code)
    await page.getByText('核销码已过期').waitFor()
    await page.getByText('码会自动换新，再扫一次').waitFor()
    expect(await early.order.status()).toBe('held')
    await leave()
  })

  it('says that there is no network and opens after a retry', async () => {
    const { page, context, leave } = await asStaff(browser, 'clerk')
    await atTheCounter(page)
    await context.setOffline(true)
    await press(page, '今天')
    await page.getByText('没有连上网络').first().waitFor()
    await context.setOffline(false)
    await press(page, '再试一次')
    await page.locator('.card').first().waitFor()
    await leave()
  })
})
