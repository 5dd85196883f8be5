import { describe, expect, it } from 'vitest'
import { count, daysUntil, dayText, distanceText, minutesText, momentText, nearDayText, nextDays, signed, untilText, yuan } from '@/format'
import { caseStage, caseStages } from '@/format/words'
import { pageOf } from '@/device/links'
import { weChatCard } from '@/device/share'

describe('format', () => {
  it.each([[3000, '30'], [3050, '30.50'], [5, '0.05'], [-120, '-1.20'], [0, '0']])('writes %i fen as %s', (fen, text) => expect(yuan(fen)).toBe(text))
  it.each([[5, '+5'], [-1200, '−1,200'], [0, '0']])('writes a change of %i points as %s', (n, text) => expect(signed(n)).toBe(text))
  it('groups thousands', () => expect(count(1234567)).toBe('1,234,567'))

  it("writes instants on Shanghai's calendar", () => {
    const now = Date.parse('2026-11-26T00:00:00+08:00')
    expect(momentText('2026-11-25T23:05:00Z', now)).toBe('11月26日 周四 07:05')
    expect(dayText('2025-12-31T15:59:59Z', now)).toBe('2025年12月31日')
    expect(dayText('2025-12-31T16:00:00Z', now)).toBe('1月1日')
  })

  it.each([[90, '1小时30分钟'], [60, '1小时'], [5, '5分钟']])('writes %i minutes', (m, text) => expect(minutesText(m)).toBe(text))
  it.each([[94, '90米'], [1240, '1.2公里']])('writes %i metres', (m, text) => expect(distanceText(m)).toBe(text))

  it.each([[172800, '还有2天0小时'], [3660, '还有1小时1分'], [65, '还有1分05秒'], [0, '已到时间']])('counts down %i seconds', (s, text) => {
    expect(untilText(new Date(1_700_000_000_000 + s * 1000).toISOString(), 1_700_000_000_000)).toBe(text)
  })
})

describe('links', () => {
  it.each([
    ['/cases/01HZZZZZZZZZZZZZZZZZZZZZZZ', '/earn/report-detail/index?id=01HZZZZZZZZZZZZZZZZZZZZZZZ'],
    ['/orders/01HZZZZZZZZZZZZZZZZZZZZZZZ', '/spend/order/index?id=01HZZZZZZZZZZZZZZZZZZZZZZZ'],
    ['/wallet', '/pages/wallet/index'],
    ['/nowhere/01HZZZZZZZZZZZZZZZZZZZZZZZ', ''],
    ['/constructor/01HZZZZZZZZZZZZZZZZZZZZZZZ', ''],
  ])('of a message: %s', (link, page) => expect(pageOf(link)).toBe(page))

  it('make a card, with a picture only when there is one', () => {
    expect(weChatCard({ title: '一', page: '/pages/home/index' })).toEqual({ title: '一', path: '/pages/home/index' })
    expect(weChatCard({ title: '二', page: '/p', picture: 'https://x/y.png' })).toEqual({ title: '二', path: '/p', imageUrl: 'https://x/y.png' })
  })
})

describe('days', () => {
  const evening = Date.parse('2026-11-26T23:50:00+08:00')

  it('counts on the calendar of Shanghai', () => {
    expect(nextDays(3, evening)).toEqual(['2026-11-26', '2026-11-27', '2026-11-28'])
    expect(nextDays(1, evening + 20 * 60_000)).toEqual(['2026-11-27'])
    expect(daysUntil('2026-12-01', 3)).toEqual(['2026-11-29', '2026-11-30', '2026-12-01'])
  })

  it('names the next ones as people do', () => {
    expect(nextDays(4, evening).map((d) => nearDayText(d, evening))).toEqual(['今天', '明天', '周六 28', '周日 29'])
  })
})

describe('stages of a report', () => {
  it('go on from the first word to the last, and stop for what went no way', () => {
    expect((['submitted', 'accepted', 'handling', 'handled', 'closed'] as const).map(caseStage)).toEqual(caseStages.map((_, i) => i))
    expect(caseStage('withdrawn')).toBe(-1)
    expect(caseStage('rejected')).toBe(-1)
  })
})
