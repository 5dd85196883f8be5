import { describe, expect, it } from 'vitest'
import { pageOf } from '@/device/links'
import { bounds, monthOf } from '@/format/months'
import { codeState, keepCode, keptCode, spaced, type KeptCode } from '@/spend/live-code'
import { obstacle } from '@/spend/words'

const at = (time: string) => Date.parse(`2026-11-26T${time}+08:00`)
const code = { refresh_at: '2026-11-26T10:00:30+08:00', expires_at: '2026-11-26T10:01:00+08:00' }

describe('a kept redemption code', () => {
  const kept = { code, order: { id: 'o1' }, aheadMs: 60_000 } as unknown as KeptCode

  it('is late when a new one is due and dead when nobody accepts it', () => {
    expect(codeState(code, at('10:00:29'))).toBe('fresh')
    expect(codeState(code, at('10:00:30'))).toBe('late')
    expect(codeState(code, at('10:01:00'))).toBe('dead')
  })

  it('is judged by the server’s clock, and forgotten when dead', () => {
    keepCode(kept)
    expect(keptCode('o1', at('09:59:59'))).toEqual(kept)
    expect(keptCode('o1', at('10:00:00'))).toBeNull()
    expect(keptCode('o1', at('09:59:59'))).toBeNull()
  })

  it('is read out in two groups of five', () => expect(spaced('3256400722')).toBe('32564 00722'))
})

describe('what keeps a benefit from being ordered', () => {
  const benefit = { my_left: 1, per_person_limit: 2, on_sale: true, remaining: 3, points_price: 5, next_release_at: null } as unknown as Parameters<typeof obstacle>[0]
  const wallet = { available: 5, frozen: false } as Parameters<typeof obstacle>[1]

  it('is nothing when all is well', () => expect(obstacle(benefit, wallet)).toBeNull())
  it.each([
    ['积分核对中', benefit, { ...wallet, frozen: true }],
    ['您已兑满', { ...benefit, my_left: 0 }, wallet],
    ['还没有开始', { ...benefit, on_sale: false }, wallet],
    ['已兑完', { ...benefit, remaining: 0 }, wallet],
    ['积分还差 2 分', benefit, { ...wallet, available: 3 }],
  ])('is said in short: %s', (words, b, w) => expect(obstacle(b, w)?.button).toBe(words))
})

describe('periods', () => {
  const newYear = Date.parse('2026-12-31T16:30:00Z') // half past midnight in Shanghai
  it('follow Shanghai’s calendar over the turn of the year', () => {
    expect(monthOf(newYear)).toBe('2027-01')
    expect(bounds('last', newYear)).toEqual({ from: '2026-12-01T00:00:00+08:00', to: '2027-01-01T00:00:00+08:00' })
    expect(bounds('quarter', newYear)).toEqual({ from: '2026-11-01T00:00:00+08:00' })
    expect(bounds('', newYear)).toEqual({})
  })
})

describe('a link of a message', () => {
  it('leads to the page of this app that shows it, and nowhere else', () => {
    expect(pageOf('/cases/01KJKB3Q00J6ZFGWBHSZT8HNC7')).toBe('/earn/report-detail/index?id=01KJKB3Q00J6ZFGWBHSZT8HNC7')
    expect(pageOf('/wallet')).toBe('/pages/wallet/index')
    expect(pageOf('/budgets')).toBe('')
    expect(pageOf('/cases/../../x')).toBe('')
    expect(pageOf('')).toBe('')
  })
})
