import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callAs, expectAccessible, openAs, openBrowser, shot } from './harness'

let browser: Browser
beforeAll(async () => void (browser = await openBrowser()))
afterAll(() => browser.close())

const main = (page: Page) => page.getByRole('main')

test('what a used-up budget could not pay is paid once the budget is raised', async () => {
  const api = await callAs('operator')
  const due = (await api('GET', '/exhausted-awards?state=due&limit=100')).items as { points: number; budget_id: string; budget_name: string }[]
  expect(due.length).toBeGreaterThan(1)
  const owed = due.reduce((n, a) => n + a.points, 0)

  const { page, leave } = await openAs(browser, 'operator')
  await page.getByRole('link', { name: new RegExp(`^${due.length} ?积分等待补发`) }).click()
  await main(page).getByRole('row').filter({ hasText: '待补发' }).nth(due.length - 1).waitFor()
  await shot(page, 'late-awards')
  await expectAccessible(page)
  const all = `补发 ${due.length} 笔`
  await page.getByRole('button', { name: all }).click()
  const dialog = page.getByRole('dialog', { name: all })
  await dialog.getByRole('button', { name: all }).click()
  expect(await dialog.getByRole('alert').textContent()).toContain('预算不够')
  await shot(page, 'late-awards-refused')
  await dialog.getByRole('button', { name: '取消' }).click()

  await page.getByRole('navigation', { name: '主菜单' }).getByRole('link', { name: '积分预算' }).click()
  const row = main(page).getByRole('row').filter({ hasText: due[0]!.budget_name })
  await row.getByRole('button', { name: '调整上限' }).click()
  const raise = page.getByRole('dialog', { name: '调整上限' })
  await raise.locator('#move-amount').fill('100')
  await raise.locator('#move-text').fill('上报比预计的多')
  await raise.getByRole('button', { name: '调整上限' }).click()
  await raise.waitFor({ state: 'hidden' })

  await page.getByRole('navigation', { name: '主菜单' }).getByRole('link', { name: '待补发积分' }).click()
  await page.getByRole('button', { name: all }).click()
  await dialog.getByRole('button', { name: all }).click()
  await page.getByText(`已补发 ${due.length} 笔，共 ${owed} 分`).waitFor()
  await main(page).getByRole('row').filter({ hasText: '已补发' }).nth(due.length - 1).waitFor()
  expect(await page.getByRole('button', { name: all }).count()).toBe(0)
  await leave()
  expect((await api('GET', '/exhausted-awards?state=due')).items).toEqual([])
})
