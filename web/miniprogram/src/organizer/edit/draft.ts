import type { Staff } from '@/api'
import type { ActivityKind } from '@/format/words'

/** The form of an activity; numbers are kept as typed. */
export interface Draft {
  title: string
  category: ActivityKind
  content: string
  place_name: string
  lon: string
  lat: string
  radius: string
  beneficiary: string
  contact_name: string
  contact_phone: string
}

/** The form of one shift on Shanghai's calendar. */
export interface ShiftDraft {
  day: string
  from: string
  to: string
  capacity: string
  break: string
  weeks: string
}

export const emptyDraft = (): Draft => ({
  title: '', category: 'community', content: '', place_name: '', lon: '', lat: '', radius: '200', beneficiary: '', contact_name: '', contact_phone: '',
})

export function draftOf(a: Staff<'ActivityDTO'>): Draft {
  const { title, category, content, place_name, beneficiary, contact_name, contact_phone } = a
  return { title, category, content, place_name, beneficiary, contact_name, contact_phone, lon: String(a.lon), lat: String(a.lat), radius: String(a.radius_meters) }
}

/** The fields as the API takes them. */
export function activityFields(d: Draft) {
  const { category, radius, lon, lat, ...texts } = d
  const trimmed = Object.fromEntries(Object.entries(texts).map(([k, v]) => [k, v.trim()])) as typeof texts
  return { ...trimmed, category, lon: Number(lon), lat: Number(lat), radius_meters: whole(radius) }
}

const dayMs = 24 * 3600_000
const shanghaiMs = 8 * 3600_000

/** The next day on Shanghai's calendar, morning: what most activities want. */
export function nextShift(now: number): ShiftDraft {
  const day = new Date(now + dayMs + shanghaiMs).toISOString().slice(0, 10)
  return { day, from: '09:00', to: '11:00', capacity: '20', break: '0', weeks: '1' }
}

export const shiftFields = (s: ShiftDraft) => ({
  starts_at: `${s.day}T${s.from}:00+08:00`,
  ends_at: `${s.day}T${s.to}:00+08:00`,
  capacity: whole(s.capacity),
  break_minutes: whole(s.break),
})

/** Once a week for so many weeks; once needs no repeat. */
export const repeatFields = (s: ShiftDraft) => (whole(s.weeks) > 1 ? { repeat: { weeks: whole(s.weeks) } } : {})

const whole = (text: string) => Number.parseInt(text, 10) || 0

/** What is still missing, in words; empty when the form can be sent. The server checks all of it again. */
export function missing(d: Draft, regionId: string): string {
  const need: [boolean, string][] = [
    [d.title.trim().length >= 2, '请填写活动名称'],
    [d.content.trim().length >= 2, '请写清楚做什么'],
    [d.beneficiary.trim() !== '', '请填写服务对象'],
    [d.place_name.trim() !== '', '请填写集合地点'],
    [d.lon !== '' && d.lat !== '' && !Number.isNaN(Number(d.lon)) && !Number.isNaN(Number(d.lat)), '请标出集合地点的位置'],
    [d.contact_name.trim() !== '', '请填写联系人'],
    [d.contact_phone.trim().length >= 5, '请填写联系电话'],
    [regionId !== '', '请选择面向哪个地区'],
  ]
  return need.find(([ok]) => !ok)?.[1] ?? ''
}

export function shiftFault(s: ShiftDraft): string {
  if (!s.day) return '请选择日期'
  if (s.from >= s.to) return '结束时间要晚于开始时间'
  return whole(s.capacity) < 1 ? '请填写名额' : ''
}
