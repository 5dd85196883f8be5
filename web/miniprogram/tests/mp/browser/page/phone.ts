import type { ShareCard } from './screens'

/** What a test decides about this phone and what it sees of it: `window.phone` in the browser. */
export interface Phone {
  /** What the scanner reads; null closes it. */
  scan: string | null
  /** Where the phone is; null when its owner refuses. */
  position: { longitude: number; latitude: number } | null
  /** The pictures that are chosen. */
  pictures: string[]
  /** Codes that WeChat gives for a login, one after the other. */
  loginCodes: string[]
  /** What WeChat gives for the phone number; empty when its owner refuses. */
  phoneCode: string
  /** The answer to "may this app send you messages?" */
  subscribe: 'accept' | 'reject'
  online: boolean
  /** What WeChat's speech plugin understands of the next recording. */
  speech: string
  brightness: number
  awake: boolean
  /** What was called, with what, in order. */
  calls: { name: string; options: Record<string, unknown> }[]
  /** Cards that were sent to a chat by a button. */
  shared: ShareCard[]
  /** Errors that nobody caught. */
  faults: string[]
}

export const phone: Phone = {
  scan: null,
  position: null,
  pictures: [],
  loginCodes: [],
  phoneCode: '',
  subscribe: 'accept',
  online: true,
  speech: '',
  brightness: 0.4,
  awake: false,
  calls: [],
  shared: [],
  faults: [],
}

export function watchFaults(): void {
  const say = (what: unknown) => phone.faults.push(what instanceof Error ? (what.stack ?? what.message) : typeof what === 'object' ? JSON.stringify(what) : String(what))
  addEventListener('error', (e) => say(e.error ?? e.message))
  addEventListener('unhandledrejection', (e) => say(e.reason))
  const print = console.error
  console.error = (...words: unknown[]) => {
    print(...words)
    say(words.map((w) => (w instanceof Error ? w.stack : String(w))).join(' '))
  }
}
