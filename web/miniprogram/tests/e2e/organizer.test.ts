import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, newcomer, soonShift, staffToken } from './calls'
import { asStaff, expectAccessible, expectReachable, open, openBrowser, press, shot } from './harness'
import { walk } from './looks'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser?.close())

interface Activity {
  id: string
  shifts: { id: string }[]
}
const place = { lon: 120.15, lat: 30.28 }

/** An activity with a shift that lets people check in now, posted beside the screens. */
async function running(): Promise<{ activity: string; shift: string; organizer: string }> {
  const organizer = await staffToken('organizer')
  const self = await call<{ grants: { role: string; region_id: string }[] }>(organizer, 'GET', '/api/v1/auth/self')
  const { starts_at, ends_at } = soonShift()
  const a = await call<Activity>(organizer, 'POST', '/api/v1/activities', {
    title: '巷口清扫', category: 'environment', content: '清扫巷口，自带手套', beneficiary: '全体居民', place_name: '巷口', ...place,
    radius_meters: 500, contact_name: '陈组织', contact_phone: '05710000000', region_id: self.grants.find((g) => g.role === 'organizer')!.region_id,
    shifts: [{ starts_at, ends_at, capacity: 5 }],
  })
  await call(organizer, 'POST', `/api/v1/activities/${a.id}/publish`)
  return { activity: a.id, shift: a.shifts[0]!.id, organizer }
}

describe('organizer', () => {
  it('posts an activity that repeats weekly and publishes it', async () => {
    const { page, context, leave } = await asStaff(browser, 'organizer')
    await context.grantPermissions(['geolocation'])
    await context.setGeolocation({ longitude: place.lon, latitude: place.lat })
    await open(page, 'organizer/edit/index')
    const fill = async (label: string, text: string) => page.locator(`input[aria-label="${label}"],textarea[aria-label="${label}"]`).first().fill(text)
    const title = `清扫河道第 ${Date.now() % 100_000} 期`
    await fill('活动名称', title)
    await fill('具体内容', '沿河捡拾垃圾，自带手套')
    await fill('服务对象', '沿河居民')
    await fill('集合地点', '文化广场东门')
    await press(page, '用现在的位置')
    await page.getByText('已用您现在的位置').waitFor()
    await fill('联系电话', '05710000000')
    await page.locator('[aria-label="日期晚一天"]').click()
    await page.locator('[aria-label="开始晚1小时"]').click()
    await page.getByText('12:00', { exact: true }).waitFor() // the end goes along
    await page.locator('[aria-label="结束早15分"]').click()
    await page.getByText('一共 1小时45分钟').waitFor()
    await fill('每周一次，连续几周', '3')
    await page.getByText(/^一共 3 次：/).waitFor()
    await expectAccessible(page)
    await expectReachable(page)
    await press(page, '保存，下一步发布')
    await page.getByText('草稿').first().waitFor()
    expect(await page.getByText('个名额').count()).toBe(3)
    expect(await page.getByText('10:00–11:45').count()).toBe(3)
    await press(page, '发布，让居民报名')
    await page.getByText('居民现在能看到并报名').waitFor()
    await shot(page, 'organizer-published')
    await expectAccessible(page)
    await leave()
  })

  it('shows the rotating code, marks by hand, and decides on each person with a reason', async () => {
    const { activity, shift } = await running()
    const [coming, handheld] = [await newcomer('周桂英'), await newcomer('吴根生')]
    for (const p of [coming, handheld]) await call(p, 'POST', `/mp/v1/shifts/${shift}/signup`)
    const { page, leave } = await asStaff(browser, 'organizer')
    const query = `?activity=${activity}&shift=${shift}`

    await open(page, `organizer/code/index${query}`)
    const code = (await page.locator('.digits').innerText()).replace(/\s/g, '')
    await call(coming, 'POST', `/mp/v1/shifts/${shift}/check-in`, { code, ...place, accuracy_meters: 10 })

    await open(page, `organizer/signups/index${query}`)
    await page.getByText('已签到，未签退').waitFor()
    const mark = async (words: string) => {
      const card = page.locator('.card', { hasText: '吴根生' })
      await card.locator('[role=button]', { hasText: words }).click()
      await card.locator('input').fill('没带手机')
      await card.locator('[role=button]', { hasText: '确定登记' }).click()
      await card.locator('[role=button]', { hasText: '确定登记' }).waitFor({ state: 'detached' })
      await page.getByText('已登记：吴根生').waitFor()
    }
    await mark('帮他签到')
    await page.waitForTimeout(50) // out is later than in
    await mark('帮他签退')
    await expectAccessible(page)
    await call(coming, 'POST', `/mp/v1/shifts/${shift}/check-out`, { code, ...place, accuracy_meters: 10 })

    await open(page, `organizer/hours/index${query}`)
    const card = page.locator('.card', { hasText: '吴根生' })
    await card.getByText('要由另一位工作人员确认').waitFor()
    await card.locator('[role=radio]', { hasText: '不予确认' }).click()
    await page.getByText('请写明为什么不予确认吴根生').waitFor()
    await card.locator('input').fill('没有看到他来')
    await expectAccessible(page)
    await expectReachable(page)
    await press(page, '确认 1 人，不予确认 1 人')
    await page.getByText('周桂英：不到计划时间的六成').waitFor() // in and out at once: no hours, as the rules say
    await page.getByText('吴根生：不予确认').waitFor()
    await open(page, `organizer/signups/index${query}`)
    await page.locator('.tag', { hasText: '不予确认' }).waitFor()
    await leave()
  })

  it('cancels a shift only with a reason', async () => {
    const { activity } = await running()
    const { page, leave } = await asStaff(browser, 'organizer')
    await open(page, `organizer/activity/index?id=${activity}`)
    await press(page, '取消这个班次')
    await page.locator('input:visible').first().fill('下大雨')
    await press(page, '确定取消班次')
    await page.getByText('班次已取消').waitFor()
    await leave()
  })

  let made: Promise<{ activity: string; shift: string }> | undefined
  /** A shift to which one has signed up, one has come and one has come and gone. */
  async function peopled() {
    const { activity, shift, organizer } = await running()
    const people = await Promise.all(['周桂英', '吴根生', '郑阿妹'].map(newcomer))
    for (const p of people) await call(p, 'POST', `/mp/v1/shifts/${shift}/signup`)
    const { code } = await call<{ code: string }>(organizer, 'GET', `/api/v1/shifts/${shift}/code`)
    for (const p of people.slice(1)) await call(p, 'POST', `/mp/v1/shifts/${shift}/check-in`, { code, ...place })
    await call(people[2]!, 'POST', `/mp/v1/shifts/${shift}/check-out`, { code, ...place })
    return { activity, shift }
  }
  const of = (page: string) => async () => {
    const { activity, shift } = await (made ??= peopled())
    return `organizer/${page}/index?id=${activity}&activity=${activity}&shift=${shift}`
  }
  walk((settings) => asStaff(browser, 'organizer', settings), [
    { name: 'organizer-activities', path: 'organizer/activities/index', title: '我的活动', shows: '下一班' },
    { name: 'organizer-edit', path: 'organizer/edit/index', title: '发布活动', shows: '和上次一样' },
    { name: 'organizer-activity', path: of('activity'), title: '活动', shows: '现场签到码' },
    { name: 'organizer-code', path: of('code'), title: '巷口清扫', shows: '秒后自动换新' },
    { name: 'organizer-signups', path: of('signups'), title: '报名与签到', shows: '帮他签到' },
    { name: 'organizer-hours', path: of('hours'), title: '确认服务时长', shows: '不予确认' },
  ])
})
