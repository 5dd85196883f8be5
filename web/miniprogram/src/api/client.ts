import { online } from './network'
import { problemOf, problemOfFailure, Problem } from './problem'
import { signedOut, singleFlightRefresh } from './refresh'
import { needsRefresh, type TokenStore, type Tokens } from './tokens'
import type { Answer, Args, Method, PathOf } from './types'

const origin = import.meta.env.VITE_API_ORIGIN ?? ''
const timeoutMs = 15_000
const uploadTimeoutMs = 60_000

interface RawInit {
  path?: Record<string, string | number>
  query?: Record<string, unknown>
  body?: unknown
  key?: string
}

interface Reply {
  status: number
  body: unknown
  headers: Record<string, string>
}

/** Fills a path's braces and adds the query; an absent query value is left out. */
export function urlOf(base: string, path: string, init: RawInit): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(init.path?.[name] ?? '')))
  const query = Object.entries(init.query ?? {})
    .filter(([, v]) => v !== undefined && v !== null && v !== '')
    .map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(String(v))}`)
    .join('&')
  return base + filled + (query ? '?' + query : '')
}

/** The address of a picture or file that the API returned without a host. */
export const absolute = (url: string) => (url.startsWith('/') ? origin + url : url)

/**
 * The client of one surface. `call` sends the access token when there is one, renews it unseen, and throws only
 * Problem. `onSignedOut` runs when the session has ended for good.
 */
export class Client<Paths> {
  private readonly refresh: (stale: string) => Promise<Tokens>

  constructor(
    private readonly base: string,
    private readonly tokens: TokenStore,
    onSignedOut: () => void,
  ) {
    const exchange = async (refreshToken: string) => {
      const reply = await send('POST', origin + base + '/auth/refresh', { refresh_token: refreshToken }, {})
      if (reply.status >= 300) throw problemOf(reply.status, reply.body, reply.headers)
      return reply.body as Tokens
    }
    this.refresh = singleFlightRefresh(tokens, exchange, onSignedOut, (run) => turn(base, run))
  }

  get signedIn(): boolean {
    return this.tokens.read() !== null
  }

  async call<M extends Method, P extends PathOf<Paths, M>>(method: M, path: P, ...args: Args<Paths, P, M>): Promise<Answer<Paths, P, M>> {
    const init = (args[0] ?? {}) as RawInit
    const url = urlOf(origin + this.base, path as string, init)
    const headers: Record<string, string> = init.key ? { 'Idempotency-Key': init.key } : {}
    const reply = await this.authorized((auth) => send(method.toUpperCase(), url, init.body, { ...headers, ...auth }))
    return reply.body as Answer<Paths, P, M>
  }

  /** Fetches a file that needs the token, such as a certificate. */
  async file(path: string): Promise<ArrayBuffer> {
    const reply = await this.authorized((auth) => send('GET', origin + this.base + path, undefined, auth, 'arraybuffer'))
    return reply.body as ArrayBuffer
  }

  /** Uploads one picture; the field is called file on both surfaces. */
  async upload<T>(path: string, filePath: string): Promise<T> {
    const reply = await this.authorized((auth) => sendFile(origin + this.base + path, filePath, auth))
    return reply.body as T
  }

  private async authorized(attempt: (auth: Record<string, string>) => Promise<Reply>): Promise<Reply> {
    let tokens = this.tokens.read()
    if (!tokens) return checked(await attempt({}))
    if (needsRefresh(tokens, Date.now())) tokens = await this.refresh(tokens.access_token)
    const reply = await attempt(bearer(tokens))
    if (reply.status !== 401) return checked(reply)
    // The clock of a phone can be wrong by hours: the server's word counts, once.
    tokens = await this.refresh(tokens.access_token)
    const second = await attempt(bearer(tokens))
    if (second.status === 401) throw signedOut()
    return checked(second)
  }
}

const bearer = (t: Tokens) => ({ Authorization: 'Bearer ' + t.access_token })

function checked(reply: Reply): Reply {
  if (reply.status >= 300) throw problemOf(reply.status, reply.body, reply.headers)
  return reply
}

function send(method: string, url: string, body: unknown, headers: Record<string, string>, responseType: 'text' | 'arraybuffer' = 'text'): Promise<Reply> {
  return new Promise((resolve, reject) =>
    uni.request({
      url,
      // @dcloudio/types leaves PATCH out, though both platforms send it.
      method: method as 'GET',
      data: body as AnyObject,
      timeout: timeoutMs,
      responseType,
      header: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), Accept: 'application/json', ...headers },
      // A refusal is text whatever was asked for.
      success: (r) => resolve({ status: r.statusCode, body: r.statusCode >= 300 ? readable(r.data) : r.data, headers: (r.header ?? {}) as Record<string, string> }),
      fail: (e) => reject(problemOfFailure(e.errMsg ?? '', online.value)),
    }),
  )
}

/** The JSON in an answer that came as bytes. Old WeChat has no TextDecoder. */
export function readable(data: unknown): unknown {
  if (!(data instanceof ArrayBuffer)) return data
  const escaped = Array.from(new Uint8Array(data), (b) => '%' + b.toString(16).padStart(2, '0')).join('')
  try {
    return parsed(decodeURIComponent(escaped))
  } catch {
    return undefined // no UTF-8
  }
}

function sendFile(url: string, filePath: string, headers: Record<string, string>): Promise<Reply> {
  return new Promise((resolve, reject) =>
    uni.uploadFile({
      url,
      filePath,
      name: 'file',
      header: headers,
      timeout: uploadTimeoutMs,
      success: (r) => resolve({ status: r.statusCode, body: parsed(r.data), headers: {} }),
      fail: (e) => reject(problemOfFailure(e.errMsg ?? '', online.value)),
    }),
  )
}

function parsed(text: unknown): unknown {
  if (typeof text !== 'string') return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Lets browser tabs renew one after the other. The mini-program has one instance and no locks. */
function turn<T>(name: string, run: () => Promise<T>): Promise<T> {
  const locks = (globalThis as { navigator?: { locks?: LockManager } }).navigator?.locks
  return locks ? (locks.request('jmk' + name, run) as Promise<T>) : run()
}

export { Problem }
