import { keys, load, save } from '@/device/storage'
import { asProblem } from './problem'

/**
 * An intent is one wish of a person that must happen at most once: this order, this report. Its Idempotency-Key is
 * written down before the request and kept until the server has answered, so that a retry, an app restart or a token
 * refresh all repeat the same request.
 */
interface Intent {
  key: string
  /** The input that the key belongs to: a changed input is another intent, since the server refuses it under this key. */
  input: string
  at: number
}

const keepMs = 7 * 24 * 3600_000

/**
 * Runs one intent. `name` says what it is about, such as "order:<benefit>"; `input` is all that the request sends.
 * `run` gets the key for its Idempotency-Key header.
 */
export async function withIntent<T>(name: string, input: unknown, run: (key: string) => Promise<T>): Promise<T> {
  const key = keyOf(name, JSON.stringify(input))
  try {
    const answer = await run(key)
    settle(name, key)
    return answer
  } catch (e) {
    const p = asProblem(e)
    // Refused is an answer: the next try is a new wish. Without an answer, or signed out on the way, the key stays.
    if (!p.unanswered && p.kind !== 'signed-out' && p.status !== 0) settle(name, key)
    throw e
  }
}

/** True while an earlier try of this intent has no answer yet. */
export function pending(name: string): boolean {
  return read()[name] !== undefined
}

function keyOf(name: string, input: string): string {
  const all = read()
  const known = all[name]
  if (known && known.input === input) return known.key
  const key = newKey()
  save(keys.intents, { ...all, [name]: { key, input, at: Date.now() } })
  return key
}

function settle(name: string, key: string): void {
  const all = read()
  if (all[name]?.key !== key) return // a newer wish took the name meanwhile
  delete all[name]
  save(keys.intents, all)
}

function read(): Record<string, Intent> {
  const all = load<Record<string, Intent>>(keys.intents) ?? {}
  const oldest = Date.now() - keepMs
  return Object.fromEntries(Object.entries(all).filter(([, i]) => i.at > oldest))
}

/** 128 bits, from the browser's or the clock's and Math's randomness (WeChat's base library has no synchronous crypto). */
export function newKey(): string {
  const bytes = new Uint8Array(16)
  const crypto = (globalThis as { crypto?: Crypto }).crypto
  if (crypto?.getRandomValues) crypto.getRandomValues(bytes)
  else for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(Math.random() * 256)
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('')
  return `${Date.now().toString(36)}-${hex}`
}
