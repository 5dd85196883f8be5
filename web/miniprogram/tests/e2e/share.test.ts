import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, residentToken, url } from './calls'
import { asResident, heading, open, openBrowser, press, settled } from './harness'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser?.close())

describe('sharing in a browser', () => {
  it('copies an address that leads back to the article where the browser has no way of its own', async () => {
    const { items } = await call<{ items: { id: string; title: string }[] }>(await residentToken('wang'), 'GET', '/mp/v1/articles?limit=1')
    const { page, context, leave } = await asResident(browser, 'wang')
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await open(page, `earn/article/index?id=${items[0]!.id}`)
    expect(await page.evaluate(() => 'share' in navigator)).toBe(false)
    await press(page, '发给朋友')
    await page.getByText('网址复制好了').waitFor()
    const copied = await page.evaluate(() => navigator.clipboard.readText())
    expect(copied).toBe(`${url}/#/earn/article/index?id=${items[0]!.id}`)
    await page.goto(copied)
    await settled(page)
    await heading(page, '播报').waitFor()
    await page.getByText(items[0]!.title).first().waitFor()
    await leave()
  })
})
