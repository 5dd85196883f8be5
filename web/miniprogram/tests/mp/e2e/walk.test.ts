import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, residentToken, staffToken } from '../../e2e/calls'
import { allPages } from '../built'
import { MiniProgram, playMiniProgram, residentKept, staffKept } from './harness'

playMiniProgram()

type Items = { items: { id: string }[] | null }
const firstId = async (token: string, path: string) => (await call<Items>(token, 'GET', path)).items![0]!.id

/** A shift to come that this resident has a place in. */
async function signedUpShift(token: string): Promise<string> {
  type Shifts = { items: { signup: { shift_id: string; status: string } }[] | null }
  const mine = await call<Shifts>(token, 'GET', '/mp/v1/my-shifts?when=upcoming&limit=20')
  const kept = mine.items?.find((s) => s.signup.status === 'signed_up')
  if (kept) return kept.signup.shift_id
  const { items } = await call<Items>(token, 'GET', '/mp/v1/activities?limit=20')
  for (const { id } of items!) {
    const { shifts } = await call<{ shifts: { id: string; open: boolean; capacity: number; signed_up: number }[] }>(token, 'GET', `/mp/v1/activities/${id}`)
    const free = shifts.find((s) => s.open && s.signed_up < s.capacity)
    if (!free) continue
    await call(token, 'POST', `/mp/v1/shifts/${free.id}/signup`)
    return free.id
  }
  throw new Error('the demo county has no shift to sign up for')
}

/** A certificate of this resident's service hours, asked for when there is none. */
async function certificateOf(token: string): Promise<string> {
  const { items } = await call<Items>(token, 'GET', '/mp/v1/certificates?limit=1')
  if (items?.[0]) return items[0].id
  const today = new Date().toISOString().slice(0, 10)
  return (await call<{ id: string }>(token, 'POST', '/mp/v1/certificates', { purpose: '社区表彰', from: `${Number(today.slice(0, 4)) - 1}-01-01`, to: today })).id
}

/** What a page shows one of needs an id: these come from the demo county. */
async function queries(): Promise<Record<string, string>> {
  const wang = await residentToken('wang')
  const organizer = await staffToken('organizer')
  const ofWang = (path: string) => firstId(wang, '/mp/v1' + path)
  const activity = await firstId(organizer, '/api/v1/activities?limit=1')
  const shift = (await call<{ shifts: { id: string }[] }>(organizer, 'GET', `/api/v1/activities/${activity}`)).shifts[0]!.id
  const benefit = await ofWang(`/benefits?q=${encodeURIComponent('电影票一张')}`)
  const order = (await call<Items>(wang, 'GET', '/mp/v1/orders?status=held&limit=1')).items?.[0]?.id ?? (await call<{ id: string }>(wang, 'POST', '/mp/v1/orders', { benefit_id: benefit })).id
  const entry = await ofWang('/wallet/entries?limit=1')
  const shiftOfWang = await signedUpShift(wang)
  return {
    'earn/service-record/index': `id=${await ofWang('/service-records?state=effective&limit=1')}`,
    'earn/certificate/index': `id=${await certificateOf(wang)}`,
    'earn/article/index': `id=${await ofWang('/articles?limit=1')}`,
    'earn/activity/index': `id=${await ofWang('/activities?limit=1')}`,
    'earn/attend/index': `id=${shiftOfWang}`,
    'earn/report-detail/index': `id=${await ofWang('/cases?limit=1')}`,
    'spend/benefit/index': `id=${benefit}`,
    'spend/confirm/index': `id=${benefit}`,
    'spend/order/index': `id=${order}`,
    'spend/code/index': `id=${order}`,
    'wallet/entry/index': `id=${entry}`,
    'wallet/objection/index': `id=${entry}`,
    'organizer/activity/index': `id=${activity}`,
    'organizer/edit/index': `id=${activity}`,
    'organizer/signups/index': `shift=${shift}&activity=${activity}`,
    'organizer/code/index': `shift=${shift}`,
    'organizer/hours/index': `shift=${shift}`,
    'clerk/redeem/index': 'code=000000',
  }
}

const pages = allPages()
/** What these show here is a refusal: of a code that nobody issued, and of a check-in outside its hours. */
const refusing = ['clerk/redeem/index', 'organizer/code/index']
const people = [
  { who: 'a resident', pages: pages.filter((p) => !/^(clerk|organizer)\//.test(p)), kept: () => residentKept('wang') },
  { who: 'a clerk', pages: pages.filter((p) => p.startsWith('clerk/')), kept: () => staffKept('clerk') },
  { who: 'an organizer', pages: pages.filter((p) => p.startsWith('organizer/')), kept: () => staffKept('organizer') },
]

describe.each(people)('every page opens for $who', ({ pages, kept }) => {
  let app: MiniProgram
  let query: Record<string, string>
  beforeAll(async () => {
    query = await queries()
    app = await MiniProgram.open({ kept: await kept() })
  })
  afterAll(() => app?.leave())

  it.each(pages)('%s', async (page) => {
    await app.reLaunch(`/${page}${query[page] ? '?' + query[page] : ''}`)
    await app.settled()
    expect(await app.get('faults')).toEqual([])
    expect(await app.route()).toBe(page)
    expect((await app.page.locator('page:visible').innerText()).length).toBeGreaterThan(10)
    if (!refusing.includes(page)) expect(await app.page.locator('[role=alert]:visible').allInnerTexts()).toEqual([])
    await app.shot(`${page.replace(/\/index$/, '').replaceAll('/', '-')}`)
  })
})
