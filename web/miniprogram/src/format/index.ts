// How points, money, days and distances are written. Money is integer fen, points are integers.

/** 3050 fen as "30.50"; whole yuan without decimals. */
export function yuan(fen: number): string {
  const sign = fen < 0 ? '-' : ''
  const abs = Math.abs(Math.trunc(fen))
  const rest = abs % 100
  return sign + String(Math.floor(abs / 100)) + (rest === 0 ? '' : '.' + String(rest).padStart(2, '0'))
}

/** 12345 as "12,345". */
export function count(n: number): string {
  return String(Math.trunc(n)).replace(/\B(?=(\d{3})+(?!\d))/g, ',')
}

/** Points with a sign, for entries of the wallet: "+5", "−5". */
export function signed(points: number): string {
  return points > 0 ? '+' + count(points) : points < 0 ? '−' + count(-points) : '0'
}

const shanghaiMs = 8 * 3600_000
const dayMs = 24 * 3600_000

/** The parts of an instant on Shanghai's calendar, whatever zone the phone is set to. */
function parts(instant: string) {
  const d = new Date(Date.parse(instant) + shanghaiMs)
  return { year: d.getUTCFullYear(), month: d.getUTCMonth() + 1, day: d.getUTCDate(), hour: d.getUTCHours(), minute: d.getUTCMinutes(), week: d.getUTCDay() }
}

const pad = (n: number) => String(n).padStart(2, '0')
const weekdays = '日一二三四五六'

/** "11月26日"; with the year when it is another one. */
export function dayText(instant: string, now = Date.now()): string {
  const p = parts(instant)
  const year = parts(new Date(now).toISOString()).year
  return `${p.year === year ? '' : p.year + '年'}${p.month}月${p.day}日`
}

/** "11月26日 周四 14:05". */
export function momentText(instant: string, now = Date.now()): string {
  const p = parts(instant)
  return `${dayText(instant, now)} ${weekdayText(instant)} ${pad(p.hour)}:${pad(p.minute)}`
}

/** "周四". */
export const weekdayText = (instant: string) => '周' + weekdays[parts(instant).week]

/** So many days from today on, as the API writes them. */
export const nextDays = (count: number, now = Date.now()): string[] => Array.from({ length: count }, (_, i) => shanghaiDay(now + i * dayMs))

/** So many days up to one, that one the last. */
export const daysUntil = (day: string, count: number): string[] => Array.from({ length: count }, (_, i) => new Date(Date.parse(day) - (count - 1 - i) * dayMs).toISOString().slice(0, 10))

/** "今天", "明天", then "周六 28", of an API's day. */
export function nearDayText(day: string, now = Date.now()): string {
  const ahead = Math.round((Date.parse(day) - Date.parse(shanghaiDay(now))) / dayMs)
  return ahead === 0 ? '今天' : ahead === 1 ? '明天' : `${weekdayText(day)} ${Number(day.slice(8))}`
}

/** Until when: "12月10日 周四 24:00". What ends at midnight ends with the day before, and nobody has to work that out. */
export function deadlineText(instant: string, now = Date.now()): string {
  const p = parts(instant)
  if (p.hour !== 0 || p.minute !== 0) return momentText(instant, now)
  return momentText(new Date(Date.parse(instant) - 60_000).toISOString(), now).replace('23:59', '24:00')
}

/** "14:05". */
export function timeText(instant: string): string {
  const p = parts(instant)
  return `${pad(p.hour)}:${pad(p.minute)}`
}

/** A calendar day "2026-12-31" as "2026年12月31日". */
export function calendarDay(day: string): string {
  const [y, m, d] = day.split('-').map(Number)
  return `${y}年${m}月${d}日`
}

/** A calendar day "2026-11-28" as "11月28日 周六"; with the year when it is another one. */
export function dayAndWeek(day: string, now = Date.now()): string {
  const noon = `${day}T12:00:00+08:00`
  return `${dayText(noon, now)} ${weekdayText(noon)}`
}

/** "1小时30分钟". */
export function minutesText(minutes: number): string {
  const h = Math.floor(minutes / 60)
  const m = minutes % 60
  if (h === 0) return `${m}分钟`
  return m === 0 ? `${h}小时` : `${h}小时${m}分钟`
}

/** "800米", "1.2公里". */
export function distanceText(meters: number): string {
  return meters < 1000 ? `${Math.round(meters / 10) * 10}米` : `${(meters / 1000).toFixed(1)}公里`
}

/** How long until an instant: "还有2天3小时", "还有5分12秒", "已到时间". */
export function untilText(instant: string, now: number): string {
  const s = Math.ceil((Date.parse(instant) - now) / 1000)
  if (s <= 0) return '已到时间'
  const d = Math.floor(s / 86400)
  const h = Math.floor((s % 86400) / 3600)
  const m = Math.floor((s % 3600) / 60)
  if (d > 0) return `还有${d}天${h}小时`
  return h > 0 ? `还有${h}小时${m}分` : `还有${m}分${pad(s % 60)}秒`
}

/** The calendar day of an instant in Shanghai, as the API writes days: "2026-11-26". */
export function shanghaiDay(atMs: number): string {
  const p = parts(new Date(atMs).toISOString())
  return `${p.year}-${pad(p.month)}-${pad(p.day)}`
}
