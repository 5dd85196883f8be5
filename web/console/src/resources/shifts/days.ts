// Days are 'YYYY-MM-DD' in Shanghai; they are counted in UTC, where no day is longer than another.
const utc = (day: string) => new Date(`${day}T00:00:00Z`)
const text = (d: Date) => d.toISOString().slice(0, 10)
const shanghai = new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai' })

export const today = (now = new Date()) => shanghai.format(now)
export const dayOf = (instant: string) => shanghai.format(new Date(instant))
export const isDay = (s: string) => /^\d{4}-\d{2}-\d{2}$/.test(s) && !Number.isNaN(utc(s).getTime()) && text(utc(s)) === s

export function addDays(day: string, n: number): string {
  const d = utc(day)
  d.setUTCDate(d.getUTCDate() + n)
  return text(d)
}
/** The same place in another month: the 31st becomes the last day of a shorter one. */
export function addMonths(day: string, n: number): string {
  const d = utc(day)
  const wanted = d.getUTCDate()
  d.setUTCDate(1)
  d.setUTCMonth(d.getUTCMonth() + n)
  const last = new Date(Date.UTC(d.getUTCFullYear(), d.getUTCMonth() + 1, 0)).getUTCDate()
  d.setUTCDate(Math.min(wanted, last))
  return text(d)
}
const monday = (day: string) => addDays(day, -((utc(day).getUTCDay() + 6) % 7))

/** The whole weeks, Monday first, that show the day's month or its week. */
export function shownDays(day: string, view: 'month' | 'week'): string[] {
  const first = monday(view === 'week' ? day : `${day.slice(0, 8)}01`)
  const after = view === 'week' ? addDays(first, 7) : addDays(monday(addDays(addMonths(`${day.slice(0, 8)}01`, 1), -1)), 7)
  const out: string[] = []
  for (let d = first; d < after; d = addDays(d, 1)) out.push(d)
  return out
}
