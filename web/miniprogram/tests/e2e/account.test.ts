import { readFileSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, consentTexts, fresh, refreshTokenOf, residentToken, tokenOf, url } from './calls'
import { asResident, asStaff, expectAccessible, expectReachable, heading, newPhone, open, openBrowser, press, settled, shot } from './harness'
import { walk } from './looks'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser?.close())

/** What a consent is called, as the server words it. */
const titleOf = async (purpose: string) => (await consentTexts()).find((t) => t.purpose === purpose)!.title

describe('first visit', () => {
  it('asks for each purpose by itself, ticks nothing, and goes on only with the basic service', async () => {
    const { page, leave } = await newPhone(browser)
    await page.goto(url)
    await heading(page, '家门口').waitFor()
    await page.locator('[role=switch]').nth(4).waitFor()
    expect(await page.locator('[role=switch][aria-checked=true]').count()).toBe(0)
    await page.locator('[role=button]', { hasText: '请先同意' }).click({ force: true }) // it says that it is disabled
    expect(page.url()).toContain('welcome')
    await press(page, await titleOf('privacy_policy'))
    await press(page, '按我的选择')
    await heading(page, '登录').waitFor()
    await leave()
  })

  walk((settings) => newPhone(browser, settings), [
    { name: 'welcome', path: 'pages/welcome/index', title: '家门口' },
    { name: 'staff-login', path: 'account/staff-login/index', title: '工作人员登录' },
  ])
})

describe('login', () => {
  it('offers the demo residents, logs one in with a tap and records what was ticked', async () => {
    const { page, leave } = await newPhone(browser)
    await open(page, 'pages/welcome/index')
    await press(page, await titleOf('privacy_policy'))
    await press(page, await titleOf('location'))
    await press(page, '按我的选择')
    await heading(page, '登录').waitFor()
    await settled(page)
    await shot(page, 'login')
    await expectAccessible(page)
    await expectReachable(page)
    await press(page, '李国庆')
    await heading(page, '家门口').waitFor()
    await open(page, 'account/consents/index')
    await page.locator('.card', { hasText: await titleOf('location') }).getByText('已同意').waitFor()
    await leave()
  })
})

describe('a page that was wanted before the login', () => {
  it('is shown after it, to a new resident as well', async () => {
    const activity = (await call<{ items: { id: string; title: string }[] }>(await residentToken('wang'), 'GET', '/mp/v1/activities?limit=1')).items[0]!
    const { page, leave } = await newPhone(browser)
    await open(page, `pages/home/index?scene=a-${activity.id}`) // as a mini-program code opens it
    await press(page, await titleOf('privacy_policy'))
    await press(page, '按我的选择')
    await heading(page, '登录').waitFor()
    await press(page, '张美芳')
    await heading(page, '活动详情').waitFor()
    await page.getByText(activity.title).first().waitFor()
    await press(page, '返回')
    await heading(page, '家门口').waitFor()
    await leave()
  })
})

describe('account', () => {
  walk((settings) => asResident(browser, 'wang', settings), [
    { name: 'me', path: 'pages/me/index', title: '我的' },
    { name: 'account-profile', path: 'account/profile/index', title: '昵称和姓名' },
    { name: 'account-phone', path: 'account/phone/index', title: '绑定手机号' },
    { name: 'account-consents', path: 'account/consents/index', title: '我的授权' },
    { name: 'account-subscriptions', path: 'account/subscriptions/index', title: '微信通知' },
    { name: 'account-export', path: 'account/export/index', title: '导出我的信息' },
    { name: 'account-delete', path: 'account/delete/index', title: '注销账号' },
    { name: 'region', path: 'pages/region/index', title: '您住在哪里' },
  ])

  it('lets a new resident pick a home down the tree', async () => {
    const { page, leave } = await asResident(browser, 'newcomer' + fresh())
    await open(page, 'pages/region/index?first=1')
    for (let depth = 0; depth < 4 && !(await page.getByText('就住这里：').count()); depth++) {
      await page.locator('.box [role=button]').first().click()
      await settled(page)
    }
    await page.getByText('就住这里：').click()
    await heading(page, '家门口').waitFor() // the home page's address is the bare root
    await open(page, 'pages/me/index')
    await page.getByText('志愿者编号').waitFor()
    expect(await page.getByText('还没有选择居住地').count()).toBe(0)
    await leave()
  })

  it('finds the village by position, once that is agreed to', async () => {
    const { page, context, leave } = await asResident(browser, 'placed' + fresh())
    await context.grantPermissions(['geolocation'])
    await context.setGeolocation({ longitude: 120.6806, latitude: 30.5107 })
    await open(page, 'pages/region/index?first=1')
    await press(page, '用我的位置')
    await page.getByText('您还没有同意使用位置').waitFor()
    await press(page, '同意使用位置，开始找')
    await page.getByText('找到了').waitFor()
    await expectAccessible(page)
    await shot(page, 'region-found')
    await press(page, '对，就住')
    await heading(page, '家门口').waitFor()
    await leave()
  })

  it('renews the session unseen, also when the phone does not know that it has ended', async () => {
    const { page, leave } = await asResident(browser, 'wang')
    await open(page, 'pages/me/index')
    const spent = await refreshTokenOf(page)
    await page.evaluate(() => {
      const kept = JSON.parse(localStorage.getItem('jmk.tokens.resident')!) as { access_token: string }
      localStorage.setItem('jmk.tokens.resident', JSON.stringify({ ...kept, access_token: kept.access_token.slice(0, -6) + 'AAAAAA' }))
    })
    await page.reload()
    await settled(page)
    await page.getByText('志愿者编号').waitFor()
    expect((await tokenOf(page)).endsWith('AAAAAA')).toBe(false)
    expect(await refreshTokenOf(page)).not.toBe(spent) // good for one renewal
    await leave()
  })

  it('grants a consent and takes it back', async () => {
    const { page, leave } = await asResident(browser, 'consent' + fresh())
    await open(page, 'account/consents/index')
    const card = page.locator('.card', { hasText: await titleOf('leaderboard') })
    await card.getByText('未同意').waitFor()
    await card.getByText('同意', { exact: true }).click()
    await card.getByText('已同意').waitFor()
    await card.getByText('收回同意').click()
    await card.getByText('未同意').waitFor()
    await leave()
  })

  it('shows all that is kept of a person, what was agreed to and who has looked, and gives all of it as a file', async () => {
    const { page, leave } = await asResident(browser, 'wang')
    await open(page, 'account/export/index')
    await press(page, '查看我的信息')
    await page.getByText('谁看过我的信息').waitFor()
    await page.locator('.card', { hasText: '同意过什么' }).getByText(await titleOf('privacy_policy')).waitFor()
    await page.locator('.card', { hasText: '个人资料' }).getByText('13910000000').waitFor()
    const more = page.locator('.card', { hasText: '文件里还有' })
    await more.getByText('积分明细').waitFor()
    await more.getByText('兑换单').waitFor()
    await expectAccessible(page)
    await expectReachable(page)
    await shot(page, 'account-export-open')
    const saved = page.waitForEvent('download')
    await press(page, '保存成文件')
    const file = await saved
    expect(file.suggestedFilename()).toBe('家门口-我的信息.json')
    const content = JSON.parse(readFileSync(await file.path(), 'utf8'))
    expect(content.complete).toBe(true)
    expect(content.profile.volunteer_number).toBeTruthy()
    expect(content.transfer.rows.length).toBeGreaterThan(0)
    expect(content.daily_sign_in.title).toBe('每日签到')
    await leave()
  })

  it('keeps large text after a restart', async () => {
    const { page, leave } = await asResident(browser, 'wang')
    await open(page, 'pages/me/index')
    await press(page, '大字模式')
    await page.reload()
    await page.locator('.jm-large').first().waitFor()
    await leave()
  })

  it('deletes the account only after a second yes', async () => {
    const { page, leave } = await asResident(browser, 'gone' + fresh())
    await open(page, 'account/delete/index')
    await press(page, '我要注销')
    await press(page, '我知道积分和信息都找不回来')
    await press(page, '确定注销')
    await page.getByText('账号已经注销').waitFor()
    expect(await page.evaluate(() => localStorage.getItem('jmk.tokens.resident'))).toBeNull()
    await leave()
  })
})

describe('staff', () => {
  it('leads a clerk to the scanner', async () => {
    const { page, leave } = await newPhone(browser)
    await open(page, 'account/staff-login/index')
    await page.locator('input').nth(0).fill('clerk')
    await page.locator('input').nth(1).fill('jiamenkou-demo')
    await press(page, '登录')
    await page.waitForURL(/clerk\/scan/)
    await leave()
  })

  it('logs a demo organizer in with a tap', async () => {
    const { page, leave } = await newPhone(browser)
    await open(page, 'account/staff-login/index')
    await press(page, '组织者')
    await page.waitForURL(/organizer\/activities/)
    await leave()
  })

  it('shows the roles of an organizer', async () => {
    const { page, leave } = await asStaff(browser, 'organizer')
    await open(page, 'account/staff-login/index')
    await page.getByText('组织者').first().waitFor()
    await shot(page, 'staff-login-organizer')
    await expectAccessible(page)
    await leave()
  })

  it('says what to do after a wrong password', async () => {
    const { page, leave } = await newPhone(browser)
    await open(page, 'account/staff-login/index')
    await page.locator('input').nth(0).fill('nobody-here')
    await page.locator('input').nth(1).fill('wrong-password')
    await press(page, '登录')
    expect(await page.locator('[role=alert]').first().innerText()).toMatch(/密码/)
    await leave()
  })
})
