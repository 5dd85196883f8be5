import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { call, fresh, staffToken, tokenOf } from './calls'
import { filmOf, filmOfNothing } from './film'
import { asResident, asStaff, heading, open, openBrowser, press, settled, shot } from './harness'

// The whole loop, as three people with three phones: a resident earns by an article, a shift and a report, and takes the
// cinema ticket to a clerk. The server times all of it. So that it fits into a test, the operator has the resident's
// village pay a shift by the minute (the county's own rule wants an hour), and the organizer posts a shift of a minute
// and a half: both may do so on any day.

const folder = mkdtempSync(join(tmpdir(), 'jmk-loop-'))
const film = join(folder, 'qr.y4m')
let browser: Browser
beforeAll(async () => {
  filmOfNothing(film)
  browser = await openBrowser(film)
})
afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true })
})

interface Region {
  id: string
}
const last = async (token: string, path: string) => (await call<{ items: Region[] }>(token, 'GET', path)).items.at(-1)!

/** A village where none of the demo's residents to log in as live: its rule changes nothing for the other tests. Not in the last town, whose budget for reports is used up. */
async function farVillage(token: string): Promise<string> {
  const county = await last(token, '/mp/v1/regions?limit=100')
  const town = (await call<{ items: Region[] }>(token, 'GET', `/mp/v1/regions/${county.id}/children?limit=100`)).items.at(-2)!
  return (await last(token, `/mp/v1/regions/${town.id}/children?limit=100`)).id
}

/** Two points for each minute of service. */
async function payByTheMinute(village: string): Promise<void> {
  const operator = await staffToken('operator')
  const budget = (await call<{ items: { id: string; name: string }[] }>(operator, 'GET', '/api/v1/budgets')).items.find((b) => b.name === '年度志愿积分预算')!
  await call(operator, 'POST', '/api/v1/policy-rules', {
    region_id: village, budget_id: budget.id, event_kind: 'volunteer_service', points: 2, per_minutes: 1, max_points: 2, daily_cap: 2, object_cap: 1,
    expiry: 'end_of_next_year', note: '试点：志愿服务每满一分钟 2 分',
  })
}

const secondMs = 1000
const minuteMs = 60 * secondMs
const dayMs = 24 * 60 * minuteMs
const place = { lon: 120.6806, lat: 30.5107 }
const signUpMs = 20 * secondMs
const serviceMs = 90 * secondMs

/** No shift crosses midnight in Shanghai: a run that would waits for the new day. */
async function clearOfMidnight(): Promise<void> {
  const left = dayMs - ((Date.now() + 8 * 60 * minuteMs) % dayMs)
  if (left < signUpMs + serviceMs + secondMs) await new Promise((next) => setTimeout(next, left))
}

interface Shift {
  activity: string
  shift: string
  starts: number
}

/** A shift that begins when the resident has had the time to sign up. */
async function postShift(title: string): Promise<Shift> {
  await clearOfMidnight()
  const organizer = await staffToken('organizer')
  const self = await call<{ grants: { role: string; region_id: string }[] }>(organizer, 'GET', '/api/v1/auth/self')
  const starts = Date.now() + signUpMs
  const a = await call<{ id: string; shifts: { id: string }[] }>(organizer, 'POST', '/api/v1/activities', {
    title, category: 'environment', content: '清扫巷口', beneficiary: '全体居民', place_name: '巷口', ...place, radius_meters: 1000, contact_name: '顾组织',
    contact_phone: '0573-87000000', region_id: self.grants.find((g) => g.role === 'organizer')!.region_id,
    shifts: [{ starts_at: new Date(starts).toISOString(), ends_at: new Date(starts + serviceMs).toISOString(), capacity: 3 }],
  })
  await call(organizer, 'POST', `/api/v1/activities/${a.id}/publish`)
  return { activity: a.id, shift: a.shifts[0]!.id, starts }
}

async function scan(from: Page, by: Page, button: string): Promise<void> {
  await filmOf(from, film)
  await press(by, button)
}

/** Reads the shortest article without questions to its end, as long as the server wants. */
async function readArticle(page: Page, token: string): Promise<void> {
  const articles = (await call<{ items: { id: string; questions: number; min_seconds: number }[] }>(token, 'GET', '/mp/v1/articles?unread=true&limit=50')).items
  const article = articles.filter((a) => a.questions === 0).sort((a, b) => a.min_seconds - b.min_seconds)[0]!
  const began = Date.now()
  await open(page, `earn/article/index?id=${article.id}`)
  await page.getByText('读完了，领').waitFor({ timeout: (article.min_seconds + 20) * secondMs })
  expect(Date.now() - began).toBeGreaterThanOrEqual(article.min_seconds * secondMs)
  await press(page, '读完了，领')
  await page.getByText('已经记到您的账户').waitFor()
}

/** Reports a broken lamp, has it mended, and says that it is solved. */
async function report(page: Page, token: string): Promise<void> {
  const text = '巷口的路灯坏了，晚上看不清路 ' + fresh()
  await open(page, 'earn/report/index')
  await press(page, '设施损坏')
  await page.locator('[aria-label="具体情况"]').last().fill(text)
  await page.locator('.footer [role=button]', { hasText: /^上报$/ }).click()
  await page.getByText('上报好了').waitFor()
  const mine = (await call<{ items: { id: string; text: string }[] }>(token, 'GET', '/mp/v1/cases')).items.find((c) => c.text === text)!
  const operator = await staffToken('operator')
  for (const move of ['accept', 'start', 'finish']) {
    const { version } = await call<{ version: number }>(operator, 'GET', `/api/v1/cases/${mine.id}`)
    await call(operator, 'POST', `/api/v1/cases/${mine.id}/${move}`, { version, note: '已经派人修好' })
  }
  await open(page, `earn/report-detail/index?id=${mine.id}`)
  await page.reload()
  await press(page, '解决了')
  await press(page, '交答复')
  await page.getByText('谢谢您的答复').waitFor()
}

it('goes round once: earned by an article, a shift and a report, spent on the cinema ticket', { timeout: 240_000 }, async () => {
  const resident = await asResident(browser, 'loop' + fresh())
  await resident.context.grantPermissions(['geolocation', 'camera'])
  // Browsers tell WGS-84, which lies some hundred metres from the map's own system: within the shift's radius.
  await resident.context.setGeolocation({ longitude: place.lon, latitude: place.lat })
  const organizer = await asStaff(browser, 'organizer')
  const clerk = await asStaff(browser, 'clerk')
  await open(resident.page, 'pages/me/index')
  const token = await tokenOf(resident.page)
  const village = await farVillage(token)
  await call(token, 'PUT', '/mp/v1/profile/home-region', { region_id: village })
  await payByTheMinute(village)
  await resident.page.reload() // the app learns of its new home

  // The resident signs up and checks in by the code on the organizer's screen.
  const title = '巷口清扫' + fresh()
  const { activity, shift, starts } = await postShift(title)
  const ofShift = `?activity=${activity}&shift=${shift}`
  await open(resident.page, `earn/activity/index?id=${activity}`)
  await press(resident.page, '报名这一班')
  await resident.page.getByText('报好名了').waitFor()
  await open(organizer.page, `organizer/code/index${ofShift}`)
  await organizer.page.locator('.digits').waitFor()
  await open(resident.page, `earn/attend/index?id=${shift}`)
  await scan(organizer.page, resident.page, '扫码签到')
  await press(resident.page, '同意使用位置，签到') // waits for the question: the code has been read
  await resident.page.getByText('签到好了').waitFor()

  // Meanwhile there is time to read and to report.
  await readArticle(resident.page, token)
  await report(resident.page, token)

  // A minute of service, then out again; the organizer sees it and confirms.
  await open(organizer.page, `organizer/signups/index${ofShift}`)
  await organizer.page.getByText('已签到，未签退').waitFor()
  await open(organizer.page, `organizer/code/index${ofShift}`)
  await organizer.page.locator('.digits').waitFor()
  await resident.page.waitForTimeout(Math.max(0, starts + minuteMs + secondMs - Date.now()))
  await open(resident.page, `earn/attend/index?id=${shift}`)
  await scan(organizer.page, resident.page, '扫码签退')
  await resident.page.getByText('签退好了').waitFor()
  await open(organizer.page, `organizer/hours/index${ofShift}`)
  await press(organizer.page, '确认 1 人的时长')
  await organizer.page.getByText(/：1分钟，2 分$/).waitFor()

  // Five points and thirty yuan for the cinema: the points are held.
  await open(resident.page, 'pages/market/index')
  await resident.page.locator('input').first().fill('电影票一张')
  await press(resident.page, '搜')
  await resident.page.locator('.benefit', { hasText: '电影票一张' }).first().click()
  await press(resident.page, '我要兑换')
  await press(resident.page, '确认兑换')
  await heading(resident.page, '核销码').waitFor()
  await resident.page.locator('.digits').waitFor()
  const wallet = await call<{ available: number; held: number }>(token, 'GET', '/mp/v1/wallet')
  expect(wallet).toMatchObject({ available: 1 + 2 + 5 - 5, held: 5 })

  // The clerk scans what the resident's phone shows, and the resident's page turns by itself.
  await open(clerk.page, 'clerk/scan/index')
  await clerk.page.getByText('开始扫码').waitFor()
  await scan(resident.page, clerk.page, '开始扫码')
  await clerk.page.getByText('请交给顾客').waitFor()
  await clerk.page.locator('.goods', { hasText: '电影票一张' }).waitFor()
  await clerk.page.locator('.cash', { hasText: '¥30' }).waitFor()
  await press(clerk.page, '已收钱，确认核销')
  await clerk.page.getByText('核销成功').waitFor()
  await resident.page.getByText('已核销').waitFor({ timeout: 15 * secondMs })
  await shot(resident.page, 'loop-redeemed')

  // The wallet tells the whole story.
  await open(resident.page, 'wallet/entries/index')
  await settled(resident.page)
  const entries = await resident.page.locator('.entry').allInnerTexts()
  expect(entries.map((t) => t.split('\n')[0]!.trim() + ' ' + /[+−]\d+ 分/.exec(t)![0]).sort()).toEqual(['上报的问题核实了 +5 分', '做志愿 +2 分', '核销福利 −5 分', '读完一篇播报 +1 分'].sort())
  for (const person of [resident, organizer, clerk]) await person.leave()
})
