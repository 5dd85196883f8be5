import { expect, test } from 'vitest'
import { fit, narrowest } from '@/shared/fit'

const columns = [{ wide: 300, narrow: 100 }, { wide: 100, narrow: 100 }, { wide: 200, narrow: 150 }]

test('a column keeps its width where there is room, and before the room is known', () => {
  expect(fit(columns, 600)).toBeNull()
  expect(fit(columns, 0)).toBeNull()
})

test('where there is none each gives of what it can spare, and never more', () => {
  const some = fit(columns, 500)!
  expect(some).toEqual([220, 100, 180])
  expect(fit(columns, 100)).toEqual([100, 100, 150])
})

test('only what cannot be broken keeps a column wide', () => {
  const date = narrowest(['2026-11-27 13:31', '—'])
  expect(narrowest(['2026-01-01 至 2026-11-27'])).toBe(date)
  expect(narrowest(['20261127-0001'])).toBeGreaterThan(date)
  expect(narrowest(['小区南门口的路灯连续两晚不亮，老人出门看不清路'])).toBe(64)
  expect(narrowest([])).toBe(64)
})
