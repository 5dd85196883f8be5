import { expect, test } from 'vitest'
import { problemOf } from '@/api/problem'
import { singleFlight } from '@/session/renewal'

test('field errors lose the body prefix and keep the first reason', () => {
  const p = problemOf(422, { code: 'x', detail: '请检查', errors: [{ path: 'body.name', reason: '必填' }, { path: 'name', reason: '太长' }] })
  expect(p.fields).toEqual({ name: '必填' })
})

test('callers at the same time share one run; a later one runs again', async () => {
  let runs = 0
  const renew = singleFlight(async () => ++runs)
  expect(await Promise.all([renew(), renew()])).toEqual([1, 1])
  expect(await renew()).toBe(2)
})
