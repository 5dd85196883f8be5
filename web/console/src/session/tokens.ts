// Tokens live in sessionStorage: a reload keeps them, closing the tab ends them.
export interface Tokens {
  access_token: string
  refresh_token: string
}

const key = 'jmk.tokens'

export function readTokens(): Tokens | null {
  const raw = sessionStorage.getItem(key)
  return raw ? (JSON.parse(raw) as Tokens) : null
}

export function keepTokens(tokens: Tokens | null): void {
  if (tokens) sessionStorage.setItem(key, JSON.stringify(tokens))
  else sessionStorage.removeItem(key)
}
