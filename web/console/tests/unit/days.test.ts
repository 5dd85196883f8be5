import { describe, expect, it } from 'vitest'
import { addDays, addMonths, dayOf, isDay, shownDays, today } from '../../src/resources/shifts/days'

describe('the calendar', () => {
  it('shows whole weeks, Monday first', () => {
    expect(shownDays('2026-03-11', 'week')).toEqual(['2026-03-09', '2026-03-10', '2026-03-11', '2026-03-12', '2026-03-13', '2026-03-14', '2026-03-15'])
    for (const day of ['2026-02-14', '2027-02-01', '2026-08-31', '2026-11-30', '2028-02-29']) {
      const days = shownDays(day, 'month')
      expect(days.length % 7).toBe(0)
      expect(days.length).toBeLessThanOrEqual(42)
      expect(new Date(days[0]!).getUTCDay()).toBe(1)
      expect(days).toContain(`${day.slice(0, 8)}01`)
      expect(days.filter((d) => d.startsWith(day.slice(0, 7)))).toHaveLength(Number(addDays(addMonths(`${day.slice(0, 8)}01`, 1), -1).slice(8)))
    }
    expect(shownDays('2027-02-10', 'month')).toHaveLength(28)
  })
  it('steps over the ends of months and years', () => {
    expect(addMonths('2026-01-31', 1)).toBe('2026-02-28')
    expect(addMonths('2026-01-15', -1)).toBe('2025-12-15')
    expect(addDays('2026-12-31', 1)).toBe('2027-01-01')
  })
  it('knows days in Shanghai', () => {
    expect(dayOf('2026-03-10T16:30:00Z')).toBe('2026-03-11')
    expect(today(new Date('2026-03-10T15:59:00Z'))).toBe('2026-03-10')
    expect([isDay('2026-02-29'), isDay('2028-02-29'), isDay('x'), isDay('')]).toEqual([false, true, false, false])
  })
})
