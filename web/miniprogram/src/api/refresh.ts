import type { Tokens, TokenStore } from './tokens'
import { Problem } from './problem'

/**
 * Makes the function that renews a surface's tokens. A refresh token works once, so that two renewals at a time would
 * end the session: callers share one in flight, and browser tabs take turns under a lock.
 */
export function singleFlightRefresh(
  store: TokenStore,
  exchange: (refreshToken: string) => Promise<Tokens>,
  onSignedOut: () => void,
  lock: <T>(run: () => Promise<T>) => Promise<T>,
) {
  let flight: Promise<Tokens> | null = null

  async function renew(stale: string): Promise<Tokens> {
    const now = store.read()
    if (!now) throw signedOut()
    if (now.access_token !== stale) return now // another tab was first
    try {
      const fresh = await exchange(now.refresh_token)
      store.write(fresh) // before anyone continues: the old one is spent
      return fresh
    } catch (e) {
      if (!endsSession(e)) throw e // no network: the tokens stay good
      store.clear()
      onSignedOut()
      throw signedOut()
    }
  }

  return (stale: string): Promise<Tokens> => {
    flight ??= lock(() => renew(stale)).finally(() => {
      flight = null
    })
    return flight
  }
}

const endsSession = (e: unknown) => e instanceof Problem && (e.status === 401 || e.status === 403 || e.status === 422)

export const signedOut = () => new Problem('signed-out', 401, 'client.signed_out', '请先登录')
