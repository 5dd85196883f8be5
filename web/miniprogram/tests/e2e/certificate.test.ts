import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, staffToken, tokenOf, url } from './calls'
import { asResident, expectAccessible, expectReachable, newPhone, open, openBrowser, press, settled, shot } from './harness'
import { looks } from './looks'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser?.close())

interface Listed {
  items: { id: string; activity_title: string; minutes: number; number: string; check_code: string; purpose: string; verify_url: string }[]
}
const records = (token: string) => call<Listed>(token, 'GET', '/mp/v1/service-records?state=effective&limit=1')

describe('service records and certificates', () => {
  it('asks for a correction, sees the answer, and keeps the record', async () => {
    const { page, leave } = await asResident(browser, 'wang')
    await open(page, 'earn/service-records/index')
    await shot(page, 'service-records-normal')
    await expectAccessible(page)
    await expectReachable(page)
    const record = (await records(await tokenOf(page))).items[0]!
    await press(page, record.activity_title)
    await settled(page)
    await press(page, '记得不对？申请更正')
    await page.locator('textarea[aria-label="哪里不对"]').fill('我 12 点才走，少记了一小时')
    await shot(page, 'service-record-asking-normal')
    await expectAccessible(page)
    await press(page, '提交申请')
    await page.getByText('等组织者答复').first().waitFor()

    const organizer = await staffToken('organizer')
    const asked = await call<{ items: { id: string; asked_text: string }[] }>(organizer, 'GET', '/api/v1/corrections?state=asked&limit=5')
    const mine = asked.items.find((c) => c.asked_text === '我 12 点才走，少记了一小时')!
    await call(organizer, 'POST', `/api/v1/corrections/${mine.id}/decline`, { reason: '签退时间是 11 点，记录无误' })
    await page.reload()
    await settled(page)
    await page.getByText('签退时间是 11 点，记录无误').first().waitFor()
    await page.getByText('不予更正').first().waitFor()
    await shot(page, 'service-record-normal')
    await leave()
  })

  it('requests a certificate, downloads it, and anybody verifies it', async () => {
    const { page, leave } = await asResident(browser, 'wang')
    await open(page, 'earn/certificates/index')
    await press(page, '申请证明')
    await page.locator('input[aria-label="做什么用"]').fill('申请助学金')
    await shot(page, 'certificate-request-normal')
    await expectAccessible(page)
    await expectReachable(page)
    await press(page, '提交申请')
    await page.getByText('正在办理').first().waitFor()
    await shot(page, 'certificate-requested-normal')

    const organizer = await staffToken('organizer')
    const open1 = await call<Listed>(organizer, 'GET', '/api/v1/certificates?state=requested&limit=1')
    await call(organizer, 'POST', `/api/v1/certificates/${open1.items[0]!.id}/issue`, { issuer: '东山村志愿服务站', handler_phone: '0573-87001234' })
    await page.reload()
    await settled(page)
    await page.getByText('已出具').first().waitFor()
    await shot(page, 'certificate-normal')
    await expectAccessible(page)
    await expectReachable(page)
    const [file] = await Promise.all([page.waitForEvent('download'), press(page, '下载证明')])
    expect(file.suggestedFilename()).toMatch(/^certificate-\d+-\d{4}-\d{6}\.pdf$/)
    const issued = (await call<Listed>(await tokenOf(page), 'GET', '/mp/v1/certificates?state=issued&limit=1')).items[0]!
    await leave()

    // Somebody with the paper: a phone that knows nothing of us opens the address in the code.
    const stranger = await newPhone(browser)
    const address = new URL(issued.verify_url)
    await stranger.page.goto(url + '/' + address.hash)
    await stranger.page.getByText('这份证明真实有效').waitFor()
    await stranger.page.getByText(issued.number).first().waitFor()
    await stranger.page.getByText('王**', { exact: false }).first().waitFor()
    expect(await stranger.page.getByText('王芳').count()).toBe(0)
    await shot(stranger.page, 'certificate-verify-normal')
    await expectAccessible(stranger.page)
    await press(stranger.page, '核验另一份')
    await stranger.page.locator('input[aria-label="校验码"]').fill('AAAAAAAAAA')
    await press(stranger.page, '核验')
    await stranger.page.getByText('没有查到这份证明').waitFor()
    await expectAccessible(stranger.page)
    await stranger.leave()
  })

  for (const { name, settings } of looks.filter((l) => l.name !== 'normal')) {
    it(`is readable in ${name}`, async () => {
      const { page, leave } = await asResident(browser, 'wang', settings)
      await open(page, 'earn/service-records/index')
      const token = await tokenOf(page)
      const record = (await records(token)).items[0]!
      const certificate = (await call<Listed>(token, 'GET', '/mp/v1/certificates?state=issued&limit=1')).items[0]!
      for (const [screen, path] of [
        ['service-records', 'earn/service-records/index'],
        ['service-record', `earn/service-record/index?id=${record.id}`],
        ['certificates', 'earn/certificates/index'],
        ['certificate', `earn/certificate/index?id=${certificate.id}`],
        ['certificate-request', 'earn/certificate-request/index'],
        ['certificate-verify', `earn/certificate-verify/index?number=${certificate.number}&code=${certificate.check_code}`],
      ] as const) {
        await open(page, path)
        await shot(page, `${screen}-${name}`)
        await expectAccessible(page)
        await expectReachable(page)
      }
      await leave()
    })
  }
})
