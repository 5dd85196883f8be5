import { describe, expect, it, vi } from 'vitest'
import { problemOf, problemOfFailure } from '@/api/problem'
import { singleFlightRefresh } from '@/api/refresh'
import { needsRefresh, type Tokens, type TokenStore } from '@/api/tokens'

const tokens = (n: number): Tokens => ({ access_token: 'a' + n, refresh_token: 'r' + n, access_expires_at: '2026-01-01T08:00:00+08:00', refresh_expires_at: '2026-02-01T08:00:00+08:00' })

function setUp(exchange: (r: string) => Promise<Tokens>) {
  let kept: Tokens | null = tokens(1)
  const store: TokenStore = { read: () => kept, write: (t) => (kept = t), clear: () => (kept = null) }
  const ended = vi.fn()
  return { store, ended, refresh: singleFlightRefresh(store, exchange, ended, (run) => run()) }
}

describe('singleFlightRefresh', () => {
  it('spends the refresh token once for many callers, and keeps the new pair', async () => {
    const exchange = vi.fn(async () => tokens(2))
    const { refresh, store } = setUp(exchange)
    const all = await Promise.all([refresh('a1'), refresh('a1'), refresh('a1')])
    expect(exchange).toHaveBeenCalledOnce()
    expect(exchange).toHaveBeenCalledWith('r1')
    expect(all.map((t) => t.access_token)).toEqual(['a2', 'a2', 'a2'])
    expect(store.read()?.refresh_token).toBe('r2')
  })

  it('takes the pair that another tab has already fetched', async () => {
    const exchange = vi.fn(async () => tokens(3))
    const { refresh, store } = setUp(exchange)
    store.write(tokens(2))
    expect((await refresh('a1')).access_token).toBe('a2')
    expect(exchange).not.toHaveBeenCalled()
  })

  it('ends the session when the server refuses the refresh token', async () => {
    const { refresh, store, ended } = setUp(async () => { throw problemOf(401, {}) })
    await expect(refresh('a1')).rejects.toMatchObject({ kind: 'signed-out' })
    expect(store.read()).toBeNull()
    expect(ended).toHaveBeenCalledOnce()
  })

  it('keeps the session when there is only no network', async () => {
    const { refresh, store, ended } = setUp(async () => { throw problemOfFailure('request:fail', false) })
    await expect(refresh('a1')).rejects.toMatchObject({ kind: 'offline' })
    expect(store.read()?.refresh_token).toBe('r1')
    expect(ended).not.toHaveBeenCalled()
  })
})

describe('needsRefresh', () => {
  it('renews before the end', () => {
    const end = Date.parse('2026-01-01T08:00:00+08:00')
    expect(needsRefresh(tokens(1), end - 31_000)).toBe(false)
    expect(needsRefresh(tokens(1), end - 29_000)).toBe(true)
  })
})
