import type { Page } from 'playwright-core'

// Calls of the API beside the screens: what the other people of a flow do, and what the server says of it.

/** A running server with demo data that serves the built app at /: scripts/with-demo.sh sets it. */
const server = process.env.JMK_TEST_URL
if (!server) throw new Error('JMK_TEST_URL is not set: run through scripts/with-demo.sh npm run e2e')
export const url = server.replace(/\/$/, '')

let nonce = 0
/** A word that was never used before, for what may be used once. */
export const fresh = () => `${Date.now().toString(36)}${(nonce++).toString(36)}`

export async function call<T>(token: string, method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { 'Idempotency-Key': 'e2e-' + fresh() }
  if (token) headers.Authorization = 'Bearer ' + token
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  const r = await fetch(url + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
  const text = await r.text()
  if (!r.ok) throw new Error(`${method} ${path}: ${r.status} ${text}`)
  return (text ? JSON.parse(text) : undefined) as T
}

interface Login {
  resident_id: string
  tokens: { access_token: string }
}

/** `name` is a demo resident's, such as "wang"; any other name is a new person. */
export const logInResident = (name: string) => call<Login>('', 'POST', '/mp/v1/auth/login', { code: `demo-${name}-${fresh()}` })
export const residentToken = async (name: string) => (await logInResident(name)).tokens.access_token

export const logInStaff = (username: string) => call<{ access_token: string }>('', 'POST', '/api/v1/auth/login', { username, password: 'jiamenkou-demo' })
export const staffToken = async (username: string) => (await logInStaff(username)).access_token

/** What the app keeps of the resident's session on this phone; the app must have been opened. */
const keptTokens = (page: Page) => page.evaluate(() => JSON.parse(localStorage.getItem('jmk.tokens.resident')!) as { access_token: string; refresh_token: string })
export const tokenOf = async (page: Page) => (await keptTokens(page)).access_token
export const refreshTokenOf = async (page: Page) => (await keptTokens(page)).refresh_token

export interface ConsentText {
  purpose: string
  title: string
  version: string
  required: boolean
}

/** The texts of the consents, as everybody is asked. */
export const consentTexts = async () => (await call<{ consents: ConsentText[] }>('', 'GET', '/mp/v1/client-config')).consents

/** Gives a new resident a home in the first village of the county. */
export async function settle(token: string): Promise<void> {
  type Regions = { items: { id: string; level: string }[] }
  let region = (await call<Regions>(token, 'GET', '/mp/v1/regions')).items[0]!
  while (region.level !== 'village') region = (await call<Regions>(token, 'GET', `/mp/v1/regions/${region.id}/children`)).items[0]!
  await call(token, 'PUT', '/mp/v1/profile/home-region', { region_id: region.id })
}

/** Somebody new with a home and a name: one who has signed up for nothing else. */
export async function newcomer(nickname: string): Promise<string> {
  const token = await residentToken('new' + fresh())
  await settle(token)
  await call(token, 'PATCH', '/mp/v1/profile', { nickname })
  return token
}

export interface Benefit {
  id: string
  title: string
  points_price: number
  my_left: number
}

/** The cinema ticket of the demo county, as this resident sees it. */
export async function cinemaTicket(token: string): Promise<Benefit> {
  return (await call<{ items: Benefit[] }>(token, 'GET', `/mp/v1/benefits?q=${encodeURIComponent('电影票')}`)).items.find((b) => b.title === '电影票一张')!
}

export const orderTicket = async (token: string) => (await call<{ id: string }>(token, 'POST', '/mp/v1/orders', { benefit_id: (await cinemaTicket(token)).id })).id

let asked = 4 // the first four are those to log in as, whom the tests of the screens use

/** One of the county's many who can pay for a cinema ticket and has not had as many as one may: another at each call. */
export async function moviegoer(): Promise<string> {
  while (asked < 600) {
    const name = `r${String(asked++).padStart(3, '0')}`
    const token = await residentToken(name)
    const [ticket, wallet] = [await cinemaTicket(token), await call<{ available: number }>(token, 'GET', '/mp/v1/wallet')]
    if (ticket.my_left > 0 && wallet.available >= ticket.points_price) return name
  }
  throw new Error('nobody in the county can pay for a cinema ticket')
}

/** Runs one of the server's jobs now, as the county's operator may, and waits for its end. */
export async function runJob(name: string): Promise<void> {
  const operator = await staffToken('operator')
  const { id } = await call<{ id: string }>(operator, 'POST', `/api/v1/jobs/${name}/runs`)
  for (let tries = 0; tries < 100; tries++) {
    const runs = await call<{ items: { id: string; status: string }[] }>(operator, 'GET', `/api/v1/jobs/${name}/runs?limit=20`)
    const run = runs.items.find((r) => r.id === id)
    if (run && run.status !== 'running') {
      if (run.status !== 'succeeded') throw new Error(`${name} ended as ${run.status}`)
      return
    }
    await new Promise((next) => setTimeout(next, 100))
  }
  throw new Error(`${name} does not end`)
}

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
const shanghaiMs = 8 * 60 * minuteMs

/** A shift that people can already check in to (30 minutes ahead). No shift crosses midnight: late in the evening it begins then. */
export function soonShift(now = Date.now()): { starts_at: string; ends_at: string; today: boolean } {
  const midnight = Math.ceil((now + shanghaiMs) / dayMs) * dayMs - shanghaiMs
  const today = midnight - now > 25 * minuteMs
  const starts = today ? now + 10 * minuteMs : midnight
  const ends = today ? Math.min(starts + 60 * minuteMs, midnight) : starts + 60 * minuteMs
  return { starts_at: new Date(starts).toISOString(), ends_at: new Date(ends).toISOString(), today }
}
