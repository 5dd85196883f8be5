// Months of Shanghai's calendar, for the wallet's filters and sums.

const shanghaiMs = 8 * 3600_000

/** "2026-11" of an instant; `back` months earlier. */
export function monthOf(now: number, back = 0): string {
  const d = new Date(now + shanghaiMs)
  const months = d.getUTCFullYear() * 12 + d.getUTCMonth() - back
  return `${Math.floor(months / 12)}-${String((months % 12) + 1).padStart(2, '0')}`
}

/** The first instant of a month, as the API takes it. */
export const monthStart = (month: string) => `${month}-01T00:00:00+08:00`

/** "2026年11月". */
export function monthText(month: string): string {
  const [y, m] = month.split('-').map(Number)
  return `${y}年${m}月`
}

export type Period = '' | 'this' | 'last' | 'quarter'

export const periods: { value: Period; text: string }[] = [
  { value: '', text: '全部时间' },
  { value: 'this', text: '这个月' },
  { value: 'last', text: '上个月' },
  { value: 'quarter', text: '近三个月' },
]

/** From (included) and to (not included) of a period; absent where it is open. */
export function bounds(period: Period, now: number): { from?: string; to?: string } {
  if (period === 'this') return { from: monthStart(monthOf(now)) }
  if (period === 'last') return { from: monthStart(monthOf(now, 1)), to: monthStart(monthOf(now)) }
  return period === 'quarter' ? { from: monthStart(monthOf(now, 2)) } : {}
}
