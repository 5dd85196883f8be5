import type { Page } from 'playwright-core'
import { url } from './harness'

/** Calls of the API beside the screens: what the other people of a flow do. */
export async function call<T>(token: string, method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { 'Idempotency-Key': `e2e-${Date.now()}-${Math.random().toString(36).slice(2)}` }
  if (token) headers.Authorization = 'Bearer ' + token
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  const r = await fetch(url + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
  const text = await r.text()
  if (!r.ok) throw new Error(`${method} ${path}: ${r.status} ${text}`)
  return (text ? JSON.parse(text) : undefined) as T
}

/** The token of the resident on this phone; the app must have been opened. */
export const tokenOf = (page: Page): Promise<string> => page.evaluate(() => (JSON.parse(localStorage.getItem('jmk.tokens.resident')!) as { access_token: string }).access_token)

export async function staffToken(username: string): Promise<string> {
  return (await call<{ access_token: string }>('', 'POST', '/api/v1/auth/login', { username, password: 'jiamenkou-demo' })).access_token
}

/** Gives a new resident a home in the first village of the county. */
export async function settle(token: string): Promise<void> {
  type Regions = { items: { id: string; level: string }[] }
  let region = (await call<Regions>(token, 'GET', '/mp/v1/regions')).items[0]!
  while (region.level !== 'village') region = (await call<Regions>(token, 'GET', `/mp/v1/regions/${region.id}/children`)).items[0]!
  await call(token, 'PUT', '/mp/v1/profile/home-region', { region_id: region.id })
}
