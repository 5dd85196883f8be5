import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { beginFactor, confirmFactor, logInAgain, recoveryCodesOf } from './factor'
import { callAs, callAsResident, expectAccessible, move, open, openAs, openBrowser, password, shot } from './harness'

let browser: Browser
beforeAll(async () => void (browser = await openBrowser()))
afterAll(() => browser.close())

/** Of this run: the flows may be walked twice on one server. */
const run = Date.now().toString(36)
/** The same in a name that people read. */
const mark = `${Math.floor(Date.now() / 1000) % 100_000}`
const main = (page: Page) => page.getByRole('main')
const field = (page: Page, name: string) => main(page).getByRole('textbox', { name, exact: true })

/** Chooses in a form's select. */
async function choose(page: Page, name: string, option: string) {
  await page.locator('.el-select').filter({ has: page.getByRole('combobox', { name, exact: true }) }).click()
  await page.getByRole('option', { name: option, exact: true }).click()
}

test('an operator approves a merchant and gives it an owner, who sees the own shop only', async () => {
  const { page, leave } = await openAs(browser, 'operator')
  await page.getByRole('link', { name: /商户待启用/ }).click()
  await main(page).locator('table a').first().click()
  await page.getByRole('button', { name: '启用', exact: true }).waitFor()
  const name = await page.getByRole('heading', { level: 1 }).innerText()
  await move(page, '启用', '证照齐全')
  await page.getByText('营业', { exact: true }).first().waitFor()
  await page.getByRole('button', { name: '开通店主或店员' }).click()
  await field(page, '姓名').fill('沈师傅')
  await field(page, '登录账号').fill(`shen.${run}`)
  await main(page).locator('input[name=password]').fill(password)
  await choose(page, '角色', '店主')
  await page.getByRole('button', { name: '保存', exact: true }).click()
  await page.getByRole('heading', { name: '沈师傅' }).waitFor()
  await leave()

  const owner = await openAs(browser, `shen.${run}`)
  await open(owner.page, '/merchants')
  expect(await main(owner.page).locator('table a').allTextContents()).toEqual([name])
  await owner.leave()
})

test('an operator closes a settlement period', async () => {
  const { page, leave } = await openAs(browser, 'operator')
  // Every period of the demo that is over is closed at night already: the list is shown one as open, the closing itself is the server's.
  let day = ''
  await page.route('**/api/v1/settlement/periods?*', reopen)
  await page.route('**/api/v1/settlement/periods', reopen)
  async function reopen(route: Parameters<Parameters<Page['route']>[1]>[0]) {
    const list = await (await route.fetch()).json()
    const last = list.items.find((p: { status: string }) => p.status === 'closed')
    day = last.day
    Object.assign(last, { status: 'open', closed_at: null })
    await route.fulfill({ json: list })
  }
  await open(page, '/periods')
  await page.unroute('**/api/v1/settlement/periods?*')
  await page.unroute('**/api/v1/settlement/periods')
  const closed = page.waitForResponse((r) => r.url().endsWith(`/settlement/periods/${day}/close`))
  await move(page, '立即结算')
  expect((await closed).status()).toBe(200)
  const row = main(page).getByRole('row').filter({ has: page.getByRole('cell', { name: day, exact: true }) })
  await row.getByText('已结算').first().waitFor()
  await row.getByRole('button', { name: '看结算单' }).click()
  await page.waitForURL(`**/statements?day=${day}`)
  await main(page).locator('table a').first().waitFor()
  await leave()
})

test('a merchant disputes a line and is answered; another statement it confirms', async () => {
  const owner = await openAs(browser, 'owner')
  await open(owner.page, '/statements?status=issued')
  await main(owner.page).locator('table a').first().click()
  await owner.page.getByRole('button', { name: '提出异议', exact: true }).waitFor()
  const line = main(owner.page).locator('table tbody tr').first()
  const told = `${await line.locator('td').nth(0).innerText()} 的“${await line.locator('td').nth(2).innerText()}”当时没有核销成功`
  await shot(owner.page, 'owner-statement')
  await move(owner.page, '提出异议', told)
  await owner.page.getByText('有异议').first().waitFor()
  const path = new URL(owner.page.url()).pathname.replace('/console', '')

  const operator = await openAs(browser, 'operator')
  await operator.page.getByRole('link', { name: /结算单有异议/ }).click()
  await main(operator.page).locator(`table a[href$="${path}"]`).click()
  await operator.page.getByRole('complementary').getByText(told).waitFor()
  await move(operator.page, '处理异议', '已核对门店监控，核销成功')
  await operator.page.getByText('已确认').first().waitFor()
  await operator.leave()

  await owner.page.reload()
  await owner.page.getByRole('complementary').getByText('已核对门店监控，核销成功').waitFor()
  expect(await owner.page.getByRole('button', { name: '确认无误' }).count()).toBe(0)
  await owner.leave()

  const api = await callAs('operator')
  const other = (await api('GET', '/settlement/statements?status=issued&limit=50')).items[0]
  await api('POST', `/merchants/${other.merchant_id}/staff`, { username: `other.${run}`, password, name: '钱老板', role: 'merchant_owner' })
  const second = await openAs(browser, `other.${run}`)
  await open(second.page, `/statements/${other.id}`)
  await move(second.page, '确认无误')
  await second.page.getByText('已确认').first().waitFor()
  await second.leave()
})

test('a clerk redeems by the short code, and the owner sees it come in', async () => {
  const resident = await callAsResident()
  const benefit = (await resident('GET', '/benefits?limit=50')).items.find((b: { title: string }) => b.title === '爆米花可乐套餐')
  const order = await resident('POST', '/orders', { benefit_id: benefit.id })
  const { short_code: code } = await resident('GET', `/orders/${order.order_id ?? order.id}/code`)

  const owner = await openAs(browser, 'owner')
  await open(owner.page, '/redemptions')
  const before = await main(owner.page).locator('table tbody tr').count()
  const clerk = await openAs(browser, 'clerk', { refusals: [404, 409, 422] })
  await open(clerk.page, '/redemptions')
  await clerk.page.getByRole('textbox', { name: '数字码' }).fill('000000000000')
  await clerk.page.getByRole('button', { name: '查看', exact: true }).click()
  await main(clerk.page).getByRole('alert').waitFor()
  await clerk.page.getByRole('textbox', { name: '数字码' }).fill(code)
  await clerk.page.getByRole('button', { name: '查看', exact: true }).click()
  await main(clerk.page).getByText('请收现金').waitFor()
  await shot(clerk.page, 'clerk-redemptions')
  await clerk.page.getByRole('button', { name: '核销', exact: true }).click()
  await clerk.page.getByText('已核销：爆米花可乐套餐').waitFor()
  await clerk.leave()
  // The owner's list asks by itself.
  await expect.poll(() => main(owner.page).locator('table tbody tr').count(), { timeout: 15_000 }).toBe(before + 1)
  await owner.leave()
})

test('an organizer posts an activity with two shifts', async () => {
  const { page, leave } = await openAs(browser, 'organizer')
  await open(page, '/activities/new')
  const at = (days: number, hour: number) => `${new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)} ${String(hour).padStart(2, '0')}:00`
  for (const [name, text] of [['活动名称', '冬至包饺子'], ['内容', '给独居老人包饺子、送上门。'], ['服务对象', '独居老人'], ['地点', '东山社区食堂'], ['经度', '120.6873'], ['纬度', '30.5101'], ['联系人', '顾组织'], ['联系电话', '0573-80000000']] as const) await field(page, name).fill(text)
  await main(page).getByRole('button', { name: '选择地区' }).click()
  await page.getByRole('treeitem').first().click()
  await choose(page, '类别', '为老服务')
  for (const [name, when] of [['第一个班次开始', at(7, 9)], ['第一个班次结束', at(7, 11)], ['第二个班次开始（可不填）', at(8, 14)], ['第二个班次结束', at(8, 16)]] as const) {
    await page.getByRole('combobox', { name, exact: true }).fill(when)
    await page.keyboard.press('Enter')
  }
  await page.getByRole('button', { name: '保存草稿' }).click()
  await page.getByRole('heading', { name: '冬至包饺子' }).waitFor()
  await move(page, '发布')
  await page.getByText('已发布').first().waitFor()
  expect(await page.getByRole('button', { name: /0\/20 人/ }).count()).toBe(2)
  await shot(page, 'organizer-activity')
  await leave()
})

test('everything is found from the box on top, and a resident unmasked leaves a trace', async () => {
  const { page, leave } = await openAs(browser, 'operator')
  await page.keyboard.press('s')
  await page.keyboard.type('便民理', { delay: 40 })
  await page.getByRole('option', { name: /便民理发店/ }).click()
  await page.getByRole('heading', { name: '便民理发店' }).waitFor()
  await open(page, '/residents')
  await main(page).locator('table a').first().click()
  await page.getByRole('button', { name: '查看手机号', exact: true }).waitFor()
  expect(await main(page).innerText()).toMatch(/1\d\d\*{4}\d{4}/)
  await page.getByRole('button', { name: '查看手机号', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: '查看手机号' })
  await dialog.getByRole('button', { name: '查看手机号', exact: true }).click()
  expect(await dialog.getByRole('alert').textContent()).toContain('请选择原因')
  await choose(page, '原因', '核对身份')
  await dialog.getByRole('button', { name: '查看手机号', exact: true }).click()
  await dialog.waitFor({ state: 'hidden' })
  const phone = /1\d{10}/.exec(await main(page).innerText())?.[0]
  expect(phone).toBeTruthy()
  await page.getByRole('complementary').getByText('查看居民的手机号或姓名').first().waitFor()
  // And by that number the box finds the person.
  await page.getByPlaceholder(/查找手机号/).fill(phone!)
  await page.getByRole('option', { name: /居民/ }).click()
  await page.waitForURL('**/residents/*')
  await leave()
})

test('an operator keeps the regions: a grid is added, a file is refused line by line, a boundary is drawn', async () => {
  const { page, leave } = await openAs(browser, 'operator', { refusals: [422] })
  const operator = await callAs('operator')
  const village = (await operator('GET', '/regions/search?name=%E4%B8%9C%E5%B1%B1%E7%A4%BE%E5%8C%BA&limit=1')).items[0]
  await open(page, `/regions?region=${village.id}`)
  await page.getByRole('button', { name: '新建网格', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: '新建网格' })
  await dialog.getByRole('textbox', { name: '名称' }).fill(`网格 ${mark}`)
  await dialog.getByRole('button', { name: '新建网格', exact: true }).click()
  await dialog.waitFor({ state: 'hidden' })
  await main(page).getByRole('button', { name: `网格 ${mark}` }).waitFor()

  await main(page).getByRole('button', { name: '划定边界' }).click()
  const square = { type: 'Polygon', coordinates: [[[120.69, 30.5], [120.71, 30.5], [120.71, 30.52], [120.69, 30.52], [120.69, 30.5]]] }
  await page.getByRole('textbox', { name: 'GeoJSON' }).fill(JSON.stringify(square))
  await page.getByRole('img', { name: '边界图，上北下南' }).waitFor()
  await shot(page, 'operator-region-boundary')
  await page.getByRole('button', { name: '保存边界' }).click()
  await page.getByText('边界已划定').waitFor()
  await page.getByRole('button', { name: '划定边界' }).waitFor()

  await page.getByRole('button', { name: '导入地区' }).click()
  const file = Buffer.from('编码,上级编码,级别,名称\n330481999,330481000000,镇街,\n330481998,330481000000,市,新镇\n')
  await page.getByLabel('地区文件').setInputFiles({ name: 'regions.csv', mimeType: 'text/csv', buffer: file })
  await page.getByRole('button', { name: '导入', exact: true }).click()
  await page.getByText('一条都没有导入').waitFor()
  await main(page).getByRole('row').filter({ hasText: '第 2 行' }).waitFor()
  await main(page).getByRole('row').filter({ hasText: '第 3 行' }).waitFor()
  await expectAccessible(page)
  await shot(page, 'operator-region-import')
  await leave()
})

test('an operator moves a village to another town, and merges it with another: what goes along is told beforehand', async () => {
  const operator = await callAs('operator')
  const county = (await operator('GET', '/auth/self')).grants[0].region_id
  const town = async (name: string, code: string) => operator('POST', '/regions', { parent_id: county, level: 'town', name: `${name}街道 ${mark}`, code: `${code}${run}` })
  const [east, west] = [await town('城东', 'te'), await town('城西', 'tw')]
  const village = async (parent: { id: string }, name: string, code: string) => operator('POST', '/regions', { parent_id: parent.id, level: 'village', name: `${name}社区 ${mark}`, code: `${code}${run}` })
  const [plum, orchid] = [await village(east, '梅园', 'vm'), await village(west, '兰园', 'vl')]
  await operator('POST', '/regions', { parent_id: plum.id, level: 'grid', name: '梅园第一网格' })
  await operator('POST', '/staff', { username: `grid.${run}`, password, name: '钱网格', grants: [{ role: 'grid_worker', region_id: plum.id }] })

  const { page, leave } = await openAs(browser, 'operator', { refusals: [409] })
  await open(page, `/regions?region=${plum.id}`)
  const find = async (dialog: ReturnType<Page['getByRole']>, name: string) => {
    await dialog.getByRole('textbox', { name: '按名称查找地区' }).fill(name)
    await dialog.getByRole('button', { name: new RegExp(name) }).click()
  }
  await page.getByRole('button', { name: '移动', exact: true }).click()
  let dialog = page.getByRole('dialog', { name: '移动' })
  await dialog.getByText('影响：1 个下级地区、1 名网格员。').waitFor()
  await dialog.getByRole('button', { name: '选择地区' }).click()
  await dialog.getByRole('treeitem').first().waitFor()
  await expectAccessible(page)
  await shot(page, 'operator-region-move')
  await find(dialog, `城西街道 ${mark}`)
  await dialog.locator('#move-text').fill('区划调整，市政府〔2026〕8 号')
  await dialog.getByRole('button', { name: '移动', exact: true }).click()
  await dialog.waitFor({ state: 'hidden' })
  await main(page).getByText(`城西街道 ${mark} / 梅园社区 ${mark}`).first().waitFor()
  const past = page.getByRole('complementary').filter({ hasText: '操作留痕' })
  await past.getByText('调整上级地区').waitFor()
  await past.getByText('区划调整，市政府〔2026〕8 号').waitFor()

  await page.getByRole('button', { name: '撤销', exact: true }).click()
  dialog = page.getByRole('dialog', { name: '撤销' })
  await dialog.locator('#move-text').fill('撤并')
  await dialog.getByRole('button', { name: '撤销', exact: true }).click()
  await dialog.getByRole('alert').getByText('还有 1 个下级地区、1 名网格员').waitFor()
  await dialog.getByRole('button', { name: '取消' }).click()

  await page.getByRole('button', { name: '并入其他地区', exact: true }).click()
  dialog = page.getByRole('dialog', { name: '并入其他地区' })
  await dialog.getByRole('button', { name: '选择地区' }).click()
  await find(dialog, `兰园社区 ${mark}`)
  await dialog.locator('#move-text').fill('村社撤并')
  await shot(page, 'operator-region-merge')
  await dialog.getByRole('button', { name: '并入其他地区', exact: true }).click()
  await dialog.waitFor({ state: 'hidden' })
  await main(page).getByText(`已并入兰园社区 ${mark}`).waitFor()
  await page.getByRole('button', { name: '恢复', exact: true }).waitFor()
  await expectAccessible(page)
  await shot(page, 'operator-region-closed')
  await open(page, `/regions?region=${orchid.id}`)
  await main(page).getByRole('button', { name: '梅园第一网格' }).waitFor()
  await main(page).getByText('1 个下级地区、1 名网格员').waitFor()
  expect((await operator('GET', `/staff?name=grid.${run}`)).items[0].grants[0].region_id).toBe(orchid.id)
  await leave()
})

test('an article is written beside what residents will see, asked about, published and withdrawn', async () => {
  const { page, leave } = await openAs(browser, 'operator')
  await open(page, '/articles/new')
  await field(page, '标题').fill('冬至活动预告')
  await field(page, '正文').fill('# 时间\n十二月二十二日上午九点。\n\n- 包饺子\n- 量血压')
  const phone = page.getByRole('figure', { name: '居民看到的样子' })
  await phone.getByRole('heading', { name: '时间' }).waitFor()
  await shot(page, 'operator-article-edit')
  await page.getByRole('button', { name: '保存草稿' }).click()
  await page.getByRole('heading', { name: '冬至活动预告', level: 1 }).waitFor()
  await main(page).getByRole('button', { name: '修改' }).nth(1).click()
  await page.getByRole('button', { name: '加一道题' }).click()
  await page.getByRole('textbox', { name: '第 1 题', exact: true }).fill('几点开始？')
  await page.getByRole('textbox', { name: '第 1 题选项 A' }).fill('八点')
  await page.getByRole('textbox', { name: '第 1 题选项 B' }).fill('九点')
  await page.getByRole('radio', { name: '第 1 题选项 B 正确' }).check({ force: true })
  await page.getByRole('button', { name: '保存', exact: true }).click()
  await page.getByText('B. 九点（正确）').waitFor()
  await move(page, '发布')
  await page.getByText('已发布').first().waitFor()
  await expectAccessible(page)
  await move(page, '撤回', '时间有变')
  await page.getByText('已撤回').first().waitFor()
  await page.getByRole('complementary').getByText('时间有变').waitFor()
  await leave()
})

test('a new version of a rule takes over', async () => {
  const { page, leave } = await openAs(browser, 'operator')
  await open(page, '/rules')
  const row = main(page).getByRole('row').filter({ hasText: '每日签到' }).first()
  await row.getByRole('button', { name: '新版本' }).click()
  await main(page).getByText('每日签到：1 分；每天最多 1 次。').waitFor()
  await page.getByRole('spinbutton', { name: '积分', exact: true }).fill('2')
  await page.getByRole('spinbutton', { name: '单次最多积分' }).fill('2')
  await main(page).getByText('每日签到：2 分；每天最多 1 次。').waitFor()
  await page.getByRole('button', { name: '发布', exact: true }).click()
  await page.waitForURL('**/rules')
  await main(page).getByRole('row').filter({ hasText: '每日签到' }).filter({ hasText: '第 2 版' }).getByText('2 分', { exact: true }).waitFor()
  await main(page).getByRole('row').filter({ hasText: '每日签到' }).filter({ hasText: '第 1 版' }).getByText('有新版', { exact: true }).waitFor()
  await leave()
})

test('the second step is set up, and asked for at the next login', async () => {
  const operator = await callAs('operator')
  const region = (await operator('GET', '/auth/self')).grants[0].region_id
  await operator('POST', '/staff', { username: `two.${run}`, password, name: '严两步', grants: [{ role: 'auditor', region_id: region }] })
  const { page, leave } = await openAs(browser, `two.${run}`, { refusals: [401] })
  await page.getByRole('button', { name: '严两步' }).click()
  await page.getByRole('menuitem', { name: '账号安全' }).click()
  await beginFactor(page)
  await shot(page, 'second-factor')
  const codes = await confirmFactor(page)
  expect(codes).toHaveLength(10)
  await expectAccessible(page)
  await page.getByRole('button', { name: '我已保存' }).click()
  // New codes for an old one, which is worthless from then on.
  await page.getByRole('textbox', { name: '验证码或恢复码' }).fill(codes[0]!)
  await page.getByRole('button', { name: '换一组恢复码' }).click()
  const fresh = await recoveryCodesOf(page)
  expect(fresh).toHaveLength(10)
  expect(fresh).not.toContain(codes[1])
  await logInAgain(page, '严两步', `two.${run}`, { wrong: codes[1]!, right: fresh[1]! })
  await leave()
})
