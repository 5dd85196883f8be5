import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { beginFactor, confirmFactor, logInAgain } from './factor'
import { callAs, expectAccessible, fillLogin, menuOf, open, openAs, openBrowser, openDesk, password, shot, startServer } from './harness'

// A copy of the program that requires the second step, beside the one that does not.
let browser: Browser
let strict: Awaited<ReturnType<typeof startServer>>
beforeAll(async () => {
  browser = await openBrowser()
  strict = await startServer({ JMK_AUTH_SECOND_FACTOR: 'required' })
})
afterAll(async () => {
  await browser.close()
  await strict.stop()
})

const run = Date.now().toString(36)
const main = (page: Page) => page.getByRole('main')

test.each(['operator', 'auditor'])('%s who must set up the second step does so before anything else', async (role) => {
  const operator = await callAs('operator')
  const region = (await operator('GET', '/auth/self')).grants[0].region_id
  const username = `must.${role}.${run}`
  await operator('POST', '/staff', { username, password, name: '严两步', grants: [{ role, region_id: region }] })

  const { page, leave } = await openDesk(browser, { at: strict.url, refusals: [401] })
  const asked: string[] = []
  page.on('request', (r) => void (r.url().includes('/api/v1/') && asked.push(new URL(r.url()).pathname.replace('/api/v1', ''))))
  await page.goto(`${strict.url}/console/residents`)
  await fillLogin(page, username)
  await page.waitForURL('**/security')
  await main(page).getByText('请先设置两步验证').waitFor()
  for (const path of ['/', '/residents', '/budgets', '/audit-runs', '/messages']) {
    await open(page, path)
    expect(new URL(page.url()).pathname).toBe('/console/security')
  }
  expect(await menuOf(page)).toEqual(['首页'])
  expect(asked.filter((p) => !p.startsWith('/auth/')), 'nothing is asked that the server would refuse').toEqual([])
  await expectAccessible(page)
  await shot(page, `enrol-${role}`)

  await beginFactor(page)
  const codes = await confirmFactor(page)
  await shot(page, `enrol-codes-${role}`)
  await page.getByRole('button', { name: '我已保存' }).click()
  expect(await menuOf(page)).toContain('居民')
  await open(page, '/residents')
  await main(page).locator('table a').first().waitFor()

  // From now on a code is asked for, here and on the server that does not require it.
  await logInAgain(page, '严两步', username, { wrong: '000000', right: codes[0]! })
  await leave()
})

test('whose role does not require it goes straight to work', async () => {
  const { page, leave } = await openAs(browser, 'organizer', { at: strict.url })
  expect(await menuOf(page)).toContain('志愿活动')
  await leave()
})
