import type { Browser, Page } from 'playwright-core'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callAs, expectAccessible, open, openAs, openBrowser, shot } from './harness'

let browser: Browser
beforeAll(async () => void (browser = await openBrowser()))
afterAll(() => browser.close())

const main = (page: Page) => page.getByRole('main')

/** Chooses from a filter that is a select. */
async function choose(page: Page, filter: string, option: string) {
  await main(page).locator('.el-select').filter({ has: page.getByRole('combobox', { name: filter, exact: true }) }).click()
  await page.getByRole('option', { name: option, exact: true }).click()
  await page.waitForLoadState('networkidle')
}

test('an auditor runs the audit, sees it pass and takes the report along', async () => {
  const { page, leave } = await openAs(browser, 'auditor')
  await open(page, '/audit-runs')
  await main(page).getByRole('button', { name: '开始对账' }).click()
  await main(page).getByRole('row').filter({ hasText: '账实相符' }).first().waitFor({ timeout: 120_000 })
  await shot(page, 'audit-runs')
  await expectAccessible(page)
  await main(page).locator('table a').first().click()
  await page.getByText('没有丢失：每个余额都与它的记账一致。').waitFor()
  await page.getByRole('complementary').getByText('开始全面对账').waitFor()
  const file = page.waitForEvent('download')
  await page.getByRole('button', { name: '下载对账报告' }).click()
  const report = JSON.parse(readFileSync(await (await file).path(), 'utf8'))
  expect(report.sound).toBe(true)
  expect(report.counts.accounts).toBeGreaterThan(10)
  await shot(page, 'audit-run')
  await expectAccessible(page)
  await leave()
})

test('an operator reads the runs and cannot start one', async () => {
  const { page, leave } = await openAs(browser, 'operator')
  await open(page, '/audit-runs')
  await main(page).getByRole('row').nth(1).waitFor()
  expect(await page.getByRole('button', { name: '开始对账' }).count()).toBe(0)
  await leave()
})

test('what differs is listed with what should be', async () => {
  const { page, leave } = await openAs(browser, 'auditor')
  // No demo county has a difference: the answer of the server is replaced.
  const run = { id: '01KJKB3Q00J6ZFGWBHSZT8HNC7', cause: 'nightly', requested_name: '', status: 'different', freezes_accounts: true, done: 9, total: 9, seconds_left: null, accounts: 4, links: 3, journals: 3, seals: 1, checked_rows: 0, difference_count: 2, frozen_count: 1, error: '', created_at: '2026-11-25T19:30:00Z', started_at: '2026-11-25T19:30:00Z', finished_at: '2026-11-25T19:31:00Z' }
  const differences = { items: [{ id: '1', section: 'ledger', check: 'balance equals its transfers', object_id: '101KJKB3Q00J6ZFGWBHSZT8HNC7', account_id: '1', seq: 0, want: 12, got: 13, note: '' }, { id: '2', section: 'ledger', check: 'chain has no gap', object_id: '101KJKB3Q00J6ZFGWBHSZT8HNC7', account_id: '1', seq: 2, want: 0, got: 0, note: 'the link is missing' }], next: '' }
  await page.route(`**/api/v1/audit-runs/${run.id}?*`, (route) => route.fulfill({ json: { ...run, differences } }))
  await page.route(`**/api/v1/audit-runs/${run.id}`, (route) => route.fulfill({ json: { ...run, differences } }))
  await open(page, `/audit-runs/${run.id}`)
  await main(page).getByRole('row').filter({ hasText: '余额应等于各笔记账之和' }).filter({ hasText: '12' }).filter({ hasText: '13' }).waitFor()
  await main(page).getByRole('row').filter({ hasText: '第 2 节' }).filter({ hasText: '这一节缺失' }).waitFor()
  await shot(page, 'audit-differences')
  await leave()
})

test('what two persons decided is on one list, narrowed by kind and person', async () => {
  const operator = await callAs('operator')
  const budget = (await operator('GET', '/budgets')).items.find((b: { name: string }) => b.name === '年度志愿积分预算').id
  const resident = (await operator('GET', '/residents?status=active')).items[0].id
  await operator('POST', '/adjustments', { kind: 'credit', resident_id: resident, points: 3, budget_id: budget, reason_code: 'missed_award', reason_text: '两人复核测试' })
  const { page, leave } = await openAs(browser, 'auditor')
  await open(page, '/four-eyes')
  await shot(page, 'four-eyes')
  await expectAccessible(page)
  await choose(page, '类型', '调账')
  await main(page).getByRole('row').filter({ hasText: '两人复核测试' }).filter({ hasText: '待处理' }).waitFor()
  await main(page).getByRole('textbox', { name: '经手人姓名或登录名' }).fill('nobody')
  await main(page).getByText('没有符合条件的记录').waitFor()
  await main(page).getByRole('textbox', { name: '经手人姓名或登录名' }).fill('operator')
  await main(page).getByRole('link', { name: /补发/ }).first().click()
  await page.getByRole('heading', { level: 1, name: /补发/ }).waitFor()
  expect(await page.getByRole('button', { name: '同意入账' }).count()).toBe(0)
  await leave()
})

test('the audit log is narrowed by person, region and day', async () => {
  const { page, leave } = await openAs(browser, 'auditor')
  await open(page, '/audit')
  await shot(page, 'audit-log')
  await expectAccessible(page)
  await choose(page, '操作', '开始全面对账')
  await main(page).getByRole('row').filter({ hasText: '开始全面对账' }).first().waitFor()
  await main(page).getByRole('button', { name: '地区', exact: true }).click()
  await main(page).getByRole('treeitem').first().click()
  await page.waitForLoadState('networkidle')
  await main(page).getByRole('row').filter({ hasText: '开始全面对账' }).first().waitFor()
  await main(page).getByRole('combobox', { name: '不早于' }).fill('2100-01-01')
  await page.keyboard.press('Enter')
  await main(page).getByText('没有符合条件的记录').waitFor()
  await leave()
})

test('the settings in force are read, secrets never', async () => {
  const { page, leave } = await openAs(browser, 'auditor')
  await open(page, '/settings')
  await page.getByRole('heading', { name: '密钥' }).waitFor()
  await page.getByText('改 config.yaml').waitFor()
  await page.getByRole('row').filter({ hasText: 'secrets.jwt' }).filter({ hasText: '已设置' }).waitFor()
  await page.getByRole('row').filter({ hasText: 'auth.refresh_ttl' }).filter({ hasText: '30 天' }).waitFor()
  expect(await page.content()).not.toContain('demo-only')
  await shot(page, 'settings')
  await expectAccessible(page)
  await page.getByRole('textbox', { name: '查找设置' }).fill('read_timeout')
  expect(await page.getByRole('row').count()).toBe(1)
  await page.getByRole('textbox', { name: '查找设置' }).fill('')
  await page.getByText('只看改过的').click()
  await page.getByRole('row').filter({ hasText: 'limits.login_burst' }).filter({ hasText: '默认：20' }).waitFor()
  await leave()
})

test('a view is saved, found again after a reload, opens the list and goes', async () => {
  const { page, leave } = await openAs(browser, 'auditor')
  await open(page, '/four-eyes')
  await choose(page, '类型', '调账')
  await main(page).getByRole('button', { name: '列', exact: true }).click()
  await page.locator('.el-checkbox', { hasText: '地区' }).click()
  await page.keyboard.press('Escape')
  await main(page).getByRole('button', { name: '视图', exact: true }).click()
  await page.getByRole('menuitem', { name: '保存为新视图…' }).click()
  const dialog = page.getByRole('dialog', { name: '保存视图' })
  await dialog.getByLabel('名称').fill('只看调账')
  await dialog.getByText('打开这个列表时使用').click()
  await shot(page, 'view-save')
  await dialog.getByRole('button', { name: '保存', exact: true }).click()
  await main(page).getByRole('button', { name: '视图：只看调账', exact: true }).waitFor()

  await open(page, '/four-eyes')
  await main(page).getByRole('button', { name: '视图：只看调账', exact: true }).waitFor()
  await page.waitForURL(/kind=adjustment/)
  expect(await main(page).getByRole('columnheader', { name: '地区' }).count()).toBe(0)
  expect(await main(page).getByRole('columnheader', { name: '提交人' }).count()).toBe(1)
  // What the address asks for goes before the default view.
  await open(page, '/four-eyes?kind=dispute')
  await main(page).getByRole('button', { name: '视图', exact: true }).waitFor()
  await main(page).getByRole('button', { name: '视图', exact: true }).click()
  await page.getByRole('menuitem', { name: /^只看调账/ }).click()
  await page.waitForURL(/kind=adjustment/)
  await choose(page, '结果', '待处理')
  await main(page).getByRole('button', { name: '视图：只看调账（有改动）' }).click()
  await shot(page, 'view-menu')
  await page.getByRole('menuitem', { name: '更新“只看调账”' }).click()
  await main(page).getByRole('button', { name: '视图：只看调账', exact: true }).click()
  await page.getByRole('menuitem', { name: '删除“只看调账”' }).click()
  await page.getByRole('dialog', { name: '删除视图' }).getByRole('button', { name: '删除' }).click()
  await main(page).getByRole('button', { name: '视图', exact: true }).waitFor()
  await open(page, '/four-eyes')
  await page.waitForTimeout(500)
  expect(page.url()).not.toContain('kind=')
  await leave()
})
