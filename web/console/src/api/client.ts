import createClient from 'openapi-fetch'
import { waitForLogin } from '@/session/expiry'
import { singleFlight } from '@/session/renewal'
import { keepTokens, readTokens, type Tokens } from '@/session/tokens'
import { problemOf } from './problem'
import type { components, paths } from './schema'

export type Schemas = components['schemas']
/** What the list at a path can be sorted by. */
export type SortOf<P extends keyof paths> = paths[P] extends { get: { parameters: { query?: { sort?: infer S } } } } ? Exclude<S, `-${string}` | undefined> : never

const renew = singleFlight(async (): Promise<boolean> => {
  const old = readTokens()
  if (!old) return false
  const res = await fetch('/api/v1/auth/refresh', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ refresh_token: old.refresh_token }),
  })
  if (res.status === 401) return false
  if (!res.ok) throw problemOf(res.status, await res.json().catch(() => null))
  keepTokens((await res.json()) as Tokens)
  return true
})

function send(request: Request): Promise<Response> {
  const copy = request.clone()
  const token = readTokens()?.access_token
  if (token) copy.headers.set('Authorization', `Bearer ${token}`)
  return fetch(copy)
}

/** Sends; a 401 renews the tokens unseen, and else waits for the login dialog. The same request, with its idempotency key, is repeated. */
async function sendSignedIn(request: Request): Promise<Response> {
  const used = readTokens()?.access_token
  const first = await send(request)
  if (first.status !== 401 || new URL(request.url).pathname.startsWith('/api/v1/auth/login')) return first
  const renewedMeanwhile = readTokens()?.access_token !== used
  if (renewedMeanwhile || (await renew())) {
    const second = await send(request)
    if (second.status !== 401) return second
  }
  return (await waitForLogin()) ? send(request) : first
}

export const api = createClient<paths>({ baseUrl: `${location.origin}/api/v1`, fetch: sendSignedIn })

/** The data of an answer, or a Problem thrown. */
export async function answer<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call
  if (!response.ok) throw problemOf(response.status, error)
  return data as T
}

/** One key per intent: kept while the same form is sent again, new after success. */
export function intentKey() {
  let key = crypto.randomUUID()
  return { get: () => key, done: () => (key = crypto.randomUUID()) }
}
