import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callAs, expectAccessible, move, open, openAs, openBrowser, shot } from './harness'

let browser: Browser
beforeAll(async () => void (browser = await openBrowser()))
afterAll(() => browser.close())

const main = (page: Page) => page.getByRole('main')
const day = (daysAgo: number) => new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai' }).format(new Date(Date.now() - daysAgo * 86_400_000))

interface Attendee { signup_id: string; nickname: string; volunteer_number: string; status: string; attendance: { minutes: number; status: string } | null }

test('who had no phone is marked by hand, and another person confirms', async () => {
  const api = await callAs('organizer')
  // The demo's shift of yesterday evening: two of its eight have no mark.
  const shifts = (await api('GET', `/shifts?from=${day(1)}&to=${day(1)}&limit=100`)).items as { id: string; activity_id: string }[]
  const attendees = async (id: string) => (await api('GET', `/shifts/${id}/attendees?status=signed_up`)).items as Attendee[]
  let shift = shifts[0]!
  let missing: Attendee[] = []
  for (const s of shifts) {
    missing = (await attendees(s.id)).filter((a) => !a.attendance)
    shift = s
    if (missing.length) break
  }
  expect(missing.length).toBeGreaterThan(0)
  const who = missing[0]!
  const page = `/activities/${shift.activity_id}/shifts/${shift.id}`

  const organizer = await openAs(browser, 'organizer')
  await open(organizer.page, page)
  const row = (p: Page) => main(p).getByRole('row').filter({ hasText: who.nickname })
  await row(organizer.page).getByText('没有签到').waitFor()
  await row(organizer.page).getByRole('button', { name: '手工登记' }).click()
  const dialog = organizer.page.getByRole('dialog', { name: '手工登记' })
  await dialog.getByRole('button', { name: '手工登记', exact: true }).click()
  expect(await dialog.getByRole('alert').textContent()).toContain('请填写为什么手工登记')
  await dialog.locator('#move-text').fill('老人没有带手机，我在现场看到')
  await dialog.getByRole('alert').waitFor({ state: 'hidden' }) // it has been answered
  await shot(organizer.page, 'hand-mark')
  await expectAccessible(organizer.page)
  await dialog.getByRole('button', { name: '手工登记', exact: true }).click()
  await dialog.waitFor({ state: 'hidden' })
  await row(organizer.page).getByText('待另一人确认').waitFor()
  await main(organizer.page).getByText(`${who.nickname}：手工登记签到、签退`).waitFor()
  await main(organizer.page).getByText('老人没有带手机，我在现场看到').waitFor()
  // Whoever marked may not confirm.
  await row(organizer.page).getByRole('combobox', { name: `${who.nickname}：处理` }).press('Enter')
  expect(await organizer.page.getByRole('option', { name: '确认', exact: true }).count()).toBe(0)
  await organizer.page.keyboard.press('Escape')
  await shot(organizer.page, 'hand-marked')
  await organizer.leave()

  const operator = await openAs(browser, 'operator')
  await open(operator.page, page)
  await row(operator.page).getByText('手工登记', { exact: true }).waitFor()
  // The others stay for their organizer: only this one is confirmed here.
  for (const other of (await attendees(shift.id)).filter((a) => a.attendance && a.signup_id !== who.signup_id)) {
    const box = main(operator.page).getByRole('row').filter({ hasText: other.nickname }).locator('.el-select').first()
    await box.hover()
    await box.locator('.el-select__clear').click()
  }
  await main(operator.page).getByRole('button', { name: '确认 1 人' }).click()
  await main(operator.page).getByRole('heading', { name: '刚才的结果' }).waitFor()
  await main(operator.page).getByText('手工登记，不得积分').waitFor()
  await main(operator.page).getByText(`${who.nickname}：确认`).waitFor()
  await shot(operator.page, 'hand-confirmed')
  await expectAccessible(operator.page)
  await operator.leave()
  const after = ((await api('GET', `/shifts/${shift.id}/attendees`)).items as Attendee[]).find((a) => a.signup_id === who.signup_id)
  expect([after?.status, after?.attendance?.status]).toEqual(['attended', 'confirmed'])
  expect(after?.attendance?.minutes).toBeGreaterThan(0)

  // The trail is read where the shift is, by auditors too.
  const auditor = await openAs(browser, 'auditor')
  await open(auditor.page, `/activities/${shift.activity_id}?shift=${shift.id}`)
  await main(auditor.page).getByText('老人没有带手机，我在现场看到').waitFor()
  expect(await main(auditor.page).getByRole('button', { name: '手工登记' }).count()).toBe(0)
  await leaveWithShot(auditor, 'shift-trail')
})

async function leaveWithShot(person: Awaited<ReturnType<typeof openAs>>, name: string) {
  await shot(person.page, name)
  await expectAccessible(person.page)
  await person.leave()
}

test('three days after a shift a record is added instead, for another person to approve', async () => {
  const api = await callAs('organizer')
  const shift = (await api('GET', `/shifts?from=${day(12)}&to=${day(8)}&limit=100`)).items[0] as { id: string; activity_id: string; title: string }
  const there = new Set(((await api('GET', `/shifts/${shift.id}/attendees?limit=100`)).items as Attendee[]).map((a) => a.volunteer_number))
  const people = (await (await callAs('operator'))('GET', '/residents?status=active&limit=100')).items as { volunteer_number: string }[]
  const number = people.find((r) => r.volunteer_number && !there.has(r.volunteer_number))!.volunteer_number

  const { page, leave } = await openAs(browser, 'organizer')
  await open(page, `/activities/${shift.activity_id}/shifts/${shift.id}`)
  await main(page).getByRole('link', { name: '补录服务记录' }).click()
  await page.getByRole('heading', { name: '补录服务记录' }).waitFor()
  const field = (name: string) => main(page).getByRole('textbox', { name, exact: true })
  await expect.poll(() => field('活动名称').inputValue()).toBe(shift.title)
  await field('志愿者编号').fill(number)
  await field('为什么补录').fill('当天系统停电，纸质签到表可查')
  await shot(page, 'record-by-hand')
  await page.getByRole('button', { name: '提交审批' }).click()
  await page.waitForURL('**/service-records?state=pending_approval')
  await main(page).getByRole('row').filter({ hasText: number }).getByRole('link').first().click()
  await page.getByText('这是您记录的，请由另一位工作人员审批。').waitFor()
  expect(await page.getByRole('button', { name: '同意', exact: true }).count()).toBe(0)
  const path = new URL(page.url()).pathname.replace('/console', '')
  await leave()

  const operator = await openAs(browser, 'operator')
  await open(operator.page, path)
  await move(operator.page, '同意')
  await operator.page.getByText('已生效').first().waitFor()
  await operator.leave()
  expect((await api('GET', path)).state).toBe('effective')
})
