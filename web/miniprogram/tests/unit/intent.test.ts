import { describe, expect, it, vi } from 'vitest'
import { pending, withIntent } from '@/api/intent'
import { Problem, problemOf, problemOfFailure } from '@/api/problem'

const timeout = () => problemOfFailure('request:fail timeout', true)

describe('withIntent', () => {
  it('repeats the key after a time-out, even when the app was restarted', async () => {
    const seen: string[] = []
    await expect(withIntent('order:1', { n: 1 }, async (key) => { seen.push(key); throw timeout() })).rejects.toBeInstanceOf(Problem)
    expect(pending('order:1')).toBe(true)
    vi.resetModules()
    const restarted = await import('@/api/intent')
    await restarted.withIntent('order:1', { n: 1 }, async (key) => void seen.push(key))
    expect(seen[1]).toBe(seen[0])
    expect(pending('order:1')).toBe(false)
  })

  it.each([429, 500, 502, 503])('keeps the key after %i', async (status) => {
    await expect(withIntent('a', 1, async () => { throw problemOf(status, {}) })).rejects.toBeInstanceOf(Problem)
    expect(pending('a')).toBe(true)
  })

  it('keeps the key when the session ended on the way', async () => {
    await expect(withIntent('a', 1, async () => { throw problemOf(401, {}) })).rejects.toBeInstanceOf(Problem)
    expect(pending('a')).toBe(true)
  })

  it('takes a new key after an answer, good or refused', async () => {
    const keys: string[] = []
    const run = async (key: string) => void keys.push(key)
    await withIntent('a', 1, run)
    await expect(withIntent('a', 1, async (key) => { keys.push(key); throw problemOf(409, {}) })).rejects.toBeInstanceOf(Problem)
    await withIntent('a', 1, run)
    expect(new Set(keys).size).toBe(3)
  })

  it('takes a new key for a changed input', async () => {
    const keys: string[] = []
    const fail = async (key: string) => { keys.push(key); throw timeout() }
    await expect(withIntent('a', { n: 1 }, fail)).rejects.toThrow()
    await expect(withIntent('a', { n: 2 }, fail)).rejects.toThrow()
    expect(keys[0]).not.toBe(keys[1])
  })

  it('makes keys that the API accepts', async () => {
    await withIntent('a', 1, async (key) => expect(key).toMatch(/^[A-Za-z0-9_.:-]{8,64}$/))
  })
})
