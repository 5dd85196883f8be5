import type { Staff } from '@/api'
import type { Position } from '@/device/location'
import { dayText, minutesText } from '@/format'
import type { ActivityKind } from '@/format/words'

/** The form of an activity; numbers are kept as typed. */
export interface Draft {
  title: string
  category: ActivityKind
  content: string
  place_name: string
  lon: string
  lat: string
  /** Of lon and lat: maps and typed numbers are GCJ-02, a browser's own position is not. */
  coordinate_system: Position['coordinate_system']
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
  title: '', category: 'community', content: '', place_name: '', lon: '', lat: '', coordinate_system: 'gcj02', radius: '200', beneficiary: '', contact_name: '', contact_phone: '',
})

export function draftOf(a: Staff<'ActivityDTO'>): Draft {
  const { title, category, content, place_name, beneficiary, contact_name, contact_phone } = a
  return { title, category, content, place_name, beneficiary, contact_name, contact_phone, lon: String(a.lon), lat: String(a.lat), coordinate_system: 'gcj02', radius: String(a.radius_meters) }
}

/** The fields as the API takes them. */
export function activityFields(d: Draft) {
  const { category, radius, lon, lat, coordinate_system, ...texts } = d
  const trimmed = Object.fromEntries(Object.entries(texts).map(([k, v]) => [k, v.trim()])) as typeof texts
  return { ...trimmed, category, lon: Number(lon), lat: Number(lat), coordinate_system, radius_meters: whole(radius) }
}

const dayMs = 24 * 3600_000
const shanghaiMs = 8 * 3600_000

/** The next day on Shanghai's calendar, morning: what most activities want. */
export function nextShift(now: number): ShiftDraft {
  return { day: dayOf(now + dayMs), from: '09:00', to: '11:00', capacity: '20', break: '0', weeks: '1' }
}

const dayOf = (ms: number) => new Date(ms + shanghaiMs).toISOString().slice(0, 10)
const noonOf = (day: string) => Date.parse(`${day}T12:00:00+08:00`)
const furthestDays = 365

/** A day moved by so many days, neither before today nor more than a year ahead: what the API takes. */
export function movedDay(day: string, days: number, now: number): string {
  const moved = noonOf(day) + days * dayMs
  return dayOf(Math.min(Math.max(moved, noonOf(dayOf(now))), noonOf(dayOf(now)) + furthestDays * dayMs))
}
export const daySteps = (day: string, now: number) =>
  [['早一周', -7], ['早一天', -1], ['晚一天', 1], ['晚一周', 7]].map(([text, days]) => ({ text: text as string, to: movedDay(day, days as number, now) }))

const minuteOf = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))
const lastMinute = 24 * 60 - 15

/** A time of day moved by minutes, within its day. */
export function movedTime(time: string, minutes: number): string {
  const m = Math.min(lastMinute, Math.max(0, minuteOf(time) + minutes))
  return `${String(Math.floor(m / 60)).padStart(2, '0')}:${String(m % 60).padStart(2, '0')}`
}
export const timeSteps = (time: string) =>
  [['早1小时', -60], ['早15分', -15], ['晚15分', 15], ['晚1小时', 60]].map(([text, minutes]) => ({ text: text as string, to: movedTime(time, minutes as number) }))

/** A new start takes the end along: the shift stays as long as it was. */
export const moveStart = (s: ShiftDraft, from: string): Partial<ShiftDraft> => ({ from, to: movedTime(s.to, minuteOf(from) - minuteOf(s.from)) })

/** "一共 2小时，算 1小时45分钟服务"; empty while the times are the wrong way round. */
export function lengthText(s: ShiftDraft): string {
  const all = minuteOf(s.to) - minuteOf(s.from)
  if (all <= 0) return ''
  const rest = whole(s.break)
  return rest > 0 && rest < all ? `一共 ${minutesText(all)}，除去休息算 ${minutesText(all - rest)}` : `一共 ${minutesText(all)}`
}

const mostWeeks = 26

/** On which days a repeated shift falls; empty when it does not repeat. */
export function repeatText(s: ShiftDraft): string {
  const weeks = Math.min(whole(s.weeks), mostWeeks)
  if (weeks < 2 || !s.day) return ''
  const at = (week: number) => dayText(new Date(noonOf(s.day) + week * 7 * dayMs).toISOString())
  const listed = Array.from({ length: Math.min(weeks, 4) }, (_, i) => at(i)).join('、')
  return weeks > 4 ? `一共 ${weeks} 次：${listed} … 最后一次 ${at(weeks - 1)}` : `一共 ${weeks} 次：${listed}`
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
