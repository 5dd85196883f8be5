import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callAs, expectAccessible, open, openAs, openBrowser, shot, url } from './harness'

let browser: Browser
beforeAll(async () => void (browser = await openBrowser()))
afterAll(() => browser.close())

/** Speaks to the resident surface: what a volunteer does on the phone. */
async function volunteer(name: string) {
  const send = async (method: string, path: string, token: string, body?: unknown) => {
    const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID(), ...(token ? { Authorization: `Bearer ${token}` } : {}) }
    const r = await fetch(`${url}/mp/v1${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
    if (!r.ok) throw new Error(`${method} ${path}: ${r.status} ${await r.text()}`)
    return r.json()
  }
  const { tokens } = await send('POST', '/auth/login', '', { code: `demo-${name}-${Date.now().toString(36)}` })
  return (method: string, path: string, body?: unknown) => send(method, path, tokens.access_token, body)
}

const today = () => new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai' }).format(new Date())
const lastRecord = async (wang: Awaited<ReturnType<typeof volunteer>>) => (await wang('GET', '/service-records?state=effective&limit=1')).items[0]

async function move(page: Page, title: string, text = '') {
  await page.getByRole('button', { name: title, exact: true }).click()
  const dialog = page.getByRole('dialog', { name: title })
  if (text) await dialog.getByRole('textbox').fill(text)
  await dialog.getByRole('button', { name: title, exact: true }).click()
  await dialog.waitFor({ state: 'hidden' })
}

async function look(page: Page, name: string) {
  await page.waitForLoadState('networkidle')
  await shot(page, name)
  await expectAccessible(page)
}

test('an organizer proposes what a volunteer asked for, and another person approves', async () => {
  const wang = await volunteer('wang')
  const record = await lastRecord(wang)
  await wang('POST', `/service-records/${record.id}/corrections`, { text: '我提前走了，多记了半小时' })

  const organizer = await openAs(browser, 'organizer')
  await open(organizer.page, '/corrections?state=asked')
  await look(organizer.page, 'corrections')
  await organizer.page.getByText(record.activity_title).first().click()
  await organizer.page.getByText('我提前走了，多记了半小时').first().waitFor()
  await organizer.page.getByRole('button', { name: '提议更正' }).click()
  await organizer.page.getByRole('heading', { name: '提议更正' }).waitFor()
  await organizer.page.getByRole('spinbutton', { name: '服务时长（分钟）' }).fill(String(record.minutes - 30))
  await organizer.page.getByRole('textbox', { name: '理由' }).fill('与现场登记一致')
  await look(organizer.page, 'correct')
  await organizer.page.getByRole('button', { name: '提交审批' }).click()
  await organizer.page.getByText('这是您提议的，请由另一位工作人员审批。').waitFor()
  expect(await organizer.page.getByRole('button', { name: '同意更正' }).count(), 'four eyes').toBe(0)
  const path = new URL(organizer.page.url()).pathname.replace('/console', '')
  await organizer.leave()

  const operator = await openAs(browser, 'operator')
  await open(operator.page, path)
  await operator.page.getByText(`${record.minutes - 30} 分钟`).first().waitFor()
  await look(operator.page, 'correction')
  await move(operator.page, '同意更正')
  await operator.page.getByRole('link', { name: '查看新记录' }).click()
  await operator.page.getByText('更正', { exact: true }).first().waitFor()
  await look(operator.page, 'service-record')
  await operator.leave()
  const after = await lastRecord(wang)
  expect([after.kind, after.minutes]).toEqual(['correction', record.minutes - 30])
})

test('an organizer issues a certificate, downloads it, and revokes it', async () => {
  const wang = await volunteer('wang')
  await wang('POST', '/certificates', { purpose: '申请助学金', from: `${today().slice(0, 4)}-01-01`, to: today() })
  const { page, leave } = await openAs(browser, 'organizer', { refusals: [422] })
  await open(page, '/certificates?state=requested')
  await look(page, 'certificates')
  await page.getByText('申请助学金').first().click()
  await page.getByRole('heading', { name: '现在出具会列入的记录' }).waitFor()
  await page.getByRole('button', { name: '出具证明' }).click()
  await page.getByRole('textbox', { name: '出具单位' }).fill('东山村志愿服务站')
  await page.getByRole('textbox', { name: '经办人联系电话' }).fill('找我')
  await page.getByRole('button', { name: '出具', exact: true }).click()
  // The server's word lands on the field.
  await page.locator('.el-form-item.is-error', { hasText: '经办人联系电话' }).waitFor()
  await page.getByRole('textbox', { name: '经办人联系电话' }).fill('0573-87001234')
  await page.locator('.el-form-item.is-error').waitFor({ state: 'hidden' }) // it was about what stood there
  await page.getByRole('button', { name: '出具', exact: true }).click()
  await page.getByText('已出具').first().waitFor()
  await look(page, 'certificate')
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: '下载 PDF' }).click()])
  expect(file.suggestedFilename()).toMatch(/^certificate-\d+-\d{4}-\d{6}\.pdf$/)
  await move(page, '撤销', '所列记录有误，另行出具')
  await page.getByText('已撤销').first().waitFor()
  expect(await page.getByRole('button', { name: '下载 PDF' }).count()).toBe(0)
  await leave()
})

test('the calendar shows the shifts, and hours are confirmed from it', async () => {
  const organizer = await callAs('organizer')
  const self = await organizer('GET', '/auth/self')
  const at = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()
  const made = await organizer('POST', '/activities', {
    title: '巷口清扫', category: 'environment', content: '清扫巷口', beneficiary: '全体居民', place_name: '巷口', lon: 120.68, lat: 30.51, radius_meters: 500,
    contact_name: '陈组织', contact_phone: '05710000000', region_id: self.grants[0].region_id, shifts: [{ starts_at: at(1), ends_at: at(31), capacity: 5 }],
  })
  await organizer('POST', `/activities/${made.id}/publish`)
  const id = made.shifts[0].id
  const wang = await volunteer('wang')
  await wang('POST', `/shifts/${id}/signup`)
  const code = (await organizer('GET', `/shifts/${id}/code`)).code
  await wang('POST', `/shifts/${id}/check-in`, { code, lon: 120.68, lat: 30.51, accuracy_meters: 10 })

  const { page, leave } = await openAs(browser, 'organizer')
  await open(page, '/shifts')
  await look(page, 'shifts-month')
  await page.getByText('周', { exact: true }).click()
  await page.getByRole('link', { name: /巷口清扫/ }).first().waitFor()
  await look(page, 'shifts-week')
  await page.getByRole('link', { name: /巷口清扫/ }).first().click()
  await page.getByRole('button', { name: '确认这个班次的服务时长' }).click()
  await page.getByText('没有签退').waitFor()
  // The text of Element's select lies over its input.
  await page.getByRole('combobox', { name: /：处理$/ }).press('Enter')
  await page.getByRole('option', { name: '不予确认' }).click()
  await page.getByRole('button', { name: '确认 1 人' }).click()
  // What the form must know itself.
  expect(await page.getByRole('alert').last().textContent()).toMatch(/请填写.*原因/)
  await page.getByRole('textbox', { name: /：原因$/ }).fill('中途离开')
  await page.getByText(/请填写.*原因/).waitFor({ state: 'hidden' })
  await look(page, 'confirm-hours')
  await page.getByRole('button', { name: '确认 1 人' }).click()
  await page.getByRole('heading', { name: '刚才的结果' }).waitFor()
  await page.getByText('没有等待确认的人').waitFor()
  await leave()
})
