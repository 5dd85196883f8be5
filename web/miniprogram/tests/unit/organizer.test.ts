import { describe, expect, it } from 'vitest'
import { deadlineText, dayAndWeek } from '@/format'
import { lengthText, movedDay, movedTime, moveStart, nextShift, repeatText, shiftFields, shiftFault, type ShiftDraft } from '@/organizer/edit/draft'
import { confirmItem, plainVerdict, verdictFault } from '@/organizer/hours/verdict'
import { headCounts } from '@/organizer/words'

// Half past midnight in Shanghai, still the day before in UTC.
const now = Date.parse('2026-11-27T00:30:00+08:00')
const shift = (change: Partial<ShiftDraft> = {}): ShiftDraft => ({ ...nextShift(now), ...change })

describe('the form of a shift', () => {
  it("starts on the next morning of Shanghai's calendar", () => expect(nextShift(now)).toMatchObject({ day: '2026-11-28', from: '09:00', to: '11:00' }))

  it('moves a day within what the API takes', () => {
    expect(movedDay('2026-11-28', 7, now)).toBe('2026-12-05')
    expect(movedDay('2026-11-28', -7, now)).toBe('2026-11-27')
    expect(movedDay('2027-11-26', 7, now)).toBe('2027-11-27')
  })

  it('moves a time within its day', () => {
    expect(movedTime('09:00', -15)).toBe('08:45')
    expect(movedTime('00:30', -60)).toBe('00:00')
    expect(movedTime('23:30', 60)).toBe('23:45')
  })

  it('keeps its length when the start moves', () => expect(moveStart(shift(), '13:00')).toEqual({ from: '13:00', to: '15:00' }))

  it('says how long it is, breaks apart', () => {
    expect(lengthText(shift())).toBe('一共 2小时')
    expect(lengthText(shift({ break: '15' }))).toBe('一共 2小时，除去休息算 1小时45分钟')
    expect(lengthText(shift({ to: '09:00' }))).toBe('')
    expect(shiftFault(shift({ to: '09:00' }))).toBe('结束时间要晚于开始时间')
  })

  it('names the days of a repeat', () => {
    expect(repeatText(shift())).toBe('')
    expect(repeatText(shift({ weeks: '2' }))).toBe('一共 2 次：11月28日、12月5日')
    expect(repeatText(shift({ weeks: '6' }))).toBe('一共 6 次：11月28日、12月5日、12月12日、12月19日 … 最后一次 2027年1月2日')
  })

  it('is sent with Shanghai’s offset', () => expect(shiftFields(shift())).toMatchObject({ starts_at: '2026-11-28T09:00:00+08:00', capacity: 20, break_minutes: 0 }))
})

describe('the hours of one person', () => {
  const person = { signup_id: 's1', nickname: '王秀英', status: 'signed_up', attendance: { status: 'checked_out', served_minutes: 90 } } as unknown as Parameters<typeof plainVerdict>[0]
  const plain = plainVerdict(person)

  it('are all of the time unless something else is said', () => {
    expect(verdictFault(person, plain)).toBe('')
    expect(confirmItem(person, plain)).toEqual({ signup_id: 's1', quality_rating: 5 })
  })

  it('can only become less, and with a reason', () => {
    expect(verdictFault(person, { ...plain, minutes: '91' })).toContain('最多计 90 分钟')
    expect(verdictFault(person, { ...plain, minutes: '' })).toContain('最多计 90 分钟')
    expect(verdictFault(person, { ...plain, minutes: '60' })).toContain('为什么')
    expect(confirmItem(person, { ...plain, minutes: '60', minutesReason: '晚到' })).toEqual({ signup_id: 's1', quality_rating: 5, minutes: 60, minutes_reason: '晚到' })
  })

  it('are not confirmed without a reason', () => {
    const reject = { ...plain, decision: 'reject' as const }
    expect(verdictFault(person, reject)).toContain('为什么')
    expect(confirmItem(person, { ...reject, rejectReason: '中途离开' })).toEqual({ signup_id: 's1', reject_reason: '中途离开' })
  })

  it('are counted by where people are', () => {
    const other = (status: string, attendance: unknown = null) => ({ ...person, status, attendance }) as typeof person
    expect(headCounts([person, other('signed_up'), other('cancelled'), other('signed_up', { status: 'checked_in' }), other('attended', { status: 'confirmed' })])).toEqual({ expected: 1, present: 1, waiting: 1, confirmed: 1 })
  })
})

describe('a deadline', () => {
  it('at midnight is the end of the day before', () => {
    expect(deadlineText('2026-12-11T00:00:00+08:00', now)).toBe('12月10日 周四 24:00')
    expect(deadlineText('2026-12-10T18:00:00+08:00', now)).toBe('12月10日 周四 18:00')
  })
  it('of a day names its weekday', () => expect(dayAndWeek('2026-11-28', now)).toBe('11月28日 周六'))
})
