import type { Mp } from '@/api'
import { forget, keys, load, save } from '@/device/storage'

/** What the redemption page keeps on the device, so that it still opens at the counter when the network is gone. */
export interface KeptCode {
  code: Mp<'CodeDTO'>
  order: Mp<'OrderDetailDTO'>
  /** How far the server's clock is ahead of the phone's, in milliseconds. */
  aheadMs: number
}

/** fresh: show it. late: a new one is due, the old one still works. dead: nobody accepts it any more. */
export type CodeState = 'fresh' | 'late' | 'dead'

/** `now` is the server's time. */
export function codeState(code: Pick<Mp<'CodeDTO'>, 'refresh_at' | 'expires_at'>, now: number): CodeState {
  if (now >= Date.parse(code.expires_at)) return 'dead'
  return now >= Date.parse(code.refresh_at) ? 'late' : 'fresh'
}

export const secondsUntil = (instant: string, now: number) => Math.max(0, Math.ceil((Date.parse(instant) - now) / 1000))

/** "1234567890" as "12345 67890": five digits are easier to read out. */
export const spaced = (shortCode: string) => shortCode.replace(/(\d{5})(?=\d)/g, '$1 ')

const keyOf = (orderId: string) => keys.cache + 'code.' + orderId

export const keepCode = (kept: KeptCode) => save(keyOf(kept.order.id), kept)
export const forgetCode = (orderId: string) => forget(keyOf(orderId))

/** The code kept for an order; null when there is none that would still be accepted. */
export function keptCode(orderId: string, deviceNow = Date.now()): KeptCode | null {
  const kept = load<KeptCode>(keyOf(orderId))
  if (!kept) return null
  if (codeState(kept.code, deviceNow + kept.aheadMs) !== 'dead') return kept
  forgetCode(orderId)
  return null
}
