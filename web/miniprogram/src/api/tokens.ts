import { load, save, forget } from '@/device/storage'

export interface Tokens {
  access_token: string
  access_expires_at: string
  refresh_token: string
  refresh_expires_at: string
}

/** Where one surface keeps its tokens. Always read from the device: another browser tab may have rotated them. */
export interface TokenStore {
  read(): Tokens | null
  write(tokens: Tokens): void
  clear(): void
}

export function deviceTokens(key: string): TokenStore {
  return {
    read: () => load<Tokens>(key),
    write: (t) =>
      save(key, {
        access_token: t.access_token,
        access_expires_at: t.access_expires_at,
        refresh_token: t.refresh_token,
        refresh_expires_at: t.refresh_expires_at,
      }),
    clear: () => forget(key),
  }
}

/** A token that ends within this is renewed before the request, so that most requests never meet a 401. */
const marginMs = 30_000

export function needsRefresh(tokens: Tokens, nowMs: number): boolean {
  return Date.parse(tokens.access_expires_at) - nowMs < marginMs
}
