import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callAs, expectAccessible, fillLogin, move, open, openAs, openBrowser, openDesk, shot, url } from './harness'

let browser: Browser
beforeAll(async () => void (browser = await openBrowser()))
afterAll(() => browser.close())

test('a wrong password is said in plain words', async () => {
  const { page, leave } = await openDesk(browser, { refusals: [401] })
  await page.goto(`${url}/console/merchants`)
  await page.locator('input[name=username]').fill('operator')
  await page.locator('input[name=password]').fill('not-the-password')
  await page.getByRole('button', { name: '登录', exact: true }).click()
  expect(await page.getByRole('alert').textContent()).toMatch(/密码/)
  // The right one leads to where the person wanted to go.
  await fillLogin(page, 'operator')
  await page.waitForURL('**/console/merchants')
  await leave()
})

test('a grid worker takes a case to resolved', async () => {
  const { page, leave } = await openAs(browser, 'gridworker')
  await open(page, '/cases')
  const waiting = page.getByRole('region', { name: '待受理' }).getByRole('link').first()
  await waiting.click()
  await page.getByRole('heading', { level: 1 }).waitFor()
  await move(page, '受理')
  await move(page, '开始办理')
  // The result is what the reporter confirms: it is asked for.
  await page.getByRole('button', { name: '办理完成', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: '办理完成', exact: true }).click()
  expect(await page.getByRole('dialog').getByRole('alert').textContent()).toContain('请填写办理结果')
  await page.getByRole('dialog').getByRole('textbox').fill('路灯已经修好，今晚会亮。')
  await page.getByRole('dialog').getByRole('button', { name: '办理完成', exact: true }).click()
  await page.getByText('待居民确认').first().waitFor()
  await page.getByRole('complementary').getByText('路灯已经修好，今晚会亮。').waitFor()
  await page.getByRole('button', { name: '办理完成', exact: true }).waitFor({ state: 'hidden' })
  await leave()
})

test('an operator sends a benefit back with a reason, then approves it', async () => {
  const owner = await callAs('owner')
  const self = await owner('GET', '/auth/self')
  const merchant = await owner('GET', `/merchants/${self.grants[0].merchant_id}`)
  const soon = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()
  const made = await owner('POST', `/merchants/${merchant.id}/benefits`, {
    region_id: merchant.region_id, title: '冬日热汤', category: 'dining', points_price: 3, cash_price_fen: 500, original_price_fen: 1800, per_person_limit: 1, redeem_days: 7, valid_from: soon(0), valid_until: soon(30),
  })
  await owner('POST', `/benefits/${made.id}/submit`, {})

  const { page, leave } = await openAs(browser, 'operator')
  await page.getByRole('link', { name: /福利等待审核/ }).click()
  await page.getByRole('link', { name: '冬日热汤' }).click()
  await move(page, '退回', '请写明每天的份数')
  await page.getByText('已退回').first().waitFor()
  await move(page, '提交审核')
  await move(page, '审核通过', '符合要求')
  await page.getByText('已上架').first().waitFor()
  await leave()
  expect((await owner('GET', `/benefits/${made.id}`)).status).toBe('published')
})

test('a form is kept over the end of the session, and saved after a new login', async () => {
  const { page, leave } = await openAs(browser, 'operator', { refusals: [401] })
  await open(page, '/merchants')
  await page.getByRole('link').filter({ hasText: '便民理发店' }).click()
  await page.getByRole('button', { name: '修改', exact: true }).click()
  await page.locator('input[name=contact_name]').fill('周师傅')
  // Both tokens are worthless from here on.
  await page.evaluate(() => sessionStorage.setItem('jmk.tokens', JSON.stringify({ access_token: 'over', refresh_token: 'over' })))
  await page.getByRole('button', { name: '保存', exact: true }).click()
  await page.getByRole('dialog', { name: '登录已过期' }).waitFor()
  await fillLogin(page, 'operator')
  await page.getByRole('heading', { name: '便民理发店' }).waitFor()
  await page.getByText('周师傅').waitFor()
  await leave()
})

test('what is filled in asks before it is left, and comes back after a reload', async () => {
  const { page, leave } = await openAs(browser, 'operator')
  page.on('dialog', (d) => void d.accept())
  await open(page, '/merchants/new')
  await page.locator('input[name=name]').fill('东门面馆')
  await page.reload()
  expect(await page.locator('input[name=name]').inputValue()).toBe('东门面馆')
  await page.getByRole('link', { name: '福利', exact: true }).first().click()
  await page.getByRole('button', { name: '继续填写' }).click()
  expect(page.url()).toContain('/merchants/new')
  await page.getByRole('link', { name: '福利', exact: true }).first().click()
  await page.getByRole('button', { name: '离开', exact: true }).click()
  await page.waitForURL('**/benefits')
  await leave()
})

test('a list is filtered when the hand rests, and previous survives a reload', async () => {
  const { page, leave } = await openAs(browser, 'operator')
  await open(page, '/cases/list')
  const first = await page.locator('main table a').first().textContent()
  await page.getByRole('button', { name: '下一页' }).click()
  await page.getByText('第 2 页').waitFor()
  await page.reload()
  await page.getByText('第 2 页').waitFor()
  await page.getByRole('button', { name: '上一页' }).click()
  await page.getByText('第 1 页').waitFor()
  await page.waitForLoadState('networkidle')
  expect(await page.locator('main table a').first().textContent()).toBe(first)
  let asked = 0
  page.on('request', (r) => void (r.url().includes('/cases?') && asked++))
  const answered = page.waitForResponse(/cases\?.*text=/)
  await page.getByRole('textbox', { name: '内容' }).pressSequentially('路灯不亮', { delay: 60 })
  await answered
  expect(asked).toBe(1)
  await leave()
})

test('the server sorts a list over all its pages, and a view brings the order back', async () => {
  const operator = await callAs('operator')
  const asked = async (sort: string, cursor = '') => {
    const answered = await operator('GET', `/cases?limit=20&sort=${sort}&cursor=${cursor}`)
    return { numbers: answered.items.map((c: { number: string }) => c.number) as string[], next: answered.next as string }
  }
  const { page, leave } = await openAs(browser, 'operator')
  await open(page, '/cases/list')
  const header = (name: string) => page.getByRole('columnheader', { name })
  const turn = (name: string) => header(name).click({ position: { x: 20, y: 18 } })
  const column = (await header('编号').evaluate((th) => [...th.parentElement!.children].indexOf(th))) + 1
  const shows = (numbers: string[]) => expect.poll(() => page.locator(`main tbody tr td:nth-child(${column})`).allInnerTexts(), { timeout: 10_000 }).toEqual(numbers)
  const marks = (name: string, order: string) => expect.poll(() => header(name).getAttribute('aria-sort').then((now) => now ?? ''), { timeout: 10_000 }).toBe(order)

  // By the keyboard: the ones that are due first, over two pages.
  await page.getByRole('button', { name: '按 时限 排序' }).press('Enter')
  await page.waitForURL(/sort=due_at/)
  await marks('时限', 'ascending')
  const first = await asked('due_at')
  await shows(first.numbers)
  await page.getByRole('button', { name: '下一页' }).click()
  await page.getByText('第 2 页').waitFor()
  const second = await asked('due_at', first.next)
  await shows(second.numbers)
  expect(first.numbers.filter((n) => second.numbers.includes(n))).toEqual([])
  await page.reload()
  await shows(second.numbers)
  await marks('时限', 'ascending')

  // Another order begins with the first page.
  await turn('上报时间')
  await page.waitForURL((to) => to.searchParams.get('sort') === 'created_at' && !to.searchParams.has('cursor'))
  await marks('时限', '')
  const oldest = await asked('created_at')
  await shows(oldest.numbers)
  await expectAccessible(page)
  await shot(page, 'list-sorted')

  await page.getByRole('button', { name: '视图', exact: true }).click()
  await page.getByRole('menuitem', { name: '保存为新视图…' }).click()
  await page.getByRole('dialog', { name: '保存视图' }).getByLabel('名称').fill('最早上报')
  await page.getByRole('dialog', { name: '保存视图' }).getByRole('button', { name: '保存', exact: true }).click()
  await page.getByRole('button', { name: '视图：最早上报', exact: true }).waitFor()
  // Down, and then once more gives the list its own order back.
  await turn('上报时间')
  await page.getByRole('button', { name: '视图：最早上报（有改动）' }).waitFor()
  await turn('上报时间')
  await page.waitForURL((to) => !to.searchParams.has('sort'))
  await shows((await asked('-created_at')).numbers)
  await open(page, '/cases/list')
  await page.getByRole('button', { name: '视图', exact: true }).click()
  await page.getByRole('menuitem', { name: /^最早上报/ }).click()
  await page.waitForURL(/sort=created_at/)
  await shows(oldest.numbers)
  await marks('上报时间', 'ascending')
  // An order that a list does not have is as none.
  await open(page, '/cases/list?sort=reporter')
  await shows((await asked('-created_at')).numbers)
  await leave()
})

test('a list is exported in the background and downloaded', async () => {
  const { page, leave } = await openAs(browser, 'operator')
  await open(page, '/merchants')
  await page.getByRole('button', { name: '导出' }).click()
  const file = page.waitForEvent('download', { timeout: 60_000 })
  await page.getByRole('menuitem', { name: 'CSV 文件' }).click()
  expect((await file).suggestedFilename()).toMatch(/^merchants-.*\.csv$/)
  await leave()
})

test('a server that is down is said, with a way on', async () => {
  const { page, leave } = await openAs(browser, 'operator', { refusals: [503] })
  await page.route('**/api/v1/auth/self', (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify({ status: 503, detail: '服务器忙，请稍后再试' }) }))
  await page.reload()
  await page.getByText('服务器忙，请稍后再试').waitFor()
  await page.unroute('**/api/v1/auth/self')
  await page.getByRole('button', { name: '重试' }).click()
  await page.getByRole('heading', { name: /您好/ }).waitFor()
  await leave()
})

test('a page of a long list is one request and holds no more rows than a page has', async () => {
  const { page, leave } = await openAs(browser, 'operator')
  const asked: string[] = []
  page.on('request', (r) => void (/\/api\/v1\/residents\?|\/api\/v1\/residents$/.test(r.url()) && asked.push(r.url())))
  await open(page, '/residents')
  const rows = page.locator('main table tbody tr')
  const seen = new Set<string>()
  for (let n = 1; n <= 5; n++) {
    expect(asked).toHaveLength(n)
    expect(await rows.count()).toBe(20) // the server's page; the demo has 600 residents
    for (const number of await rows.locator('td:nth-child(3)').allTextContents()) seen.add(number)
    const answered = page.waitForResponse(/\/residents\?.*cursor=/)
    await page.getByRole('button', { name: '下一页' }).click()
    await answered
    await page.waitForLoadState('networkidle')
  }
  expect(seen.size).toBe(100)
  await leave()
})
