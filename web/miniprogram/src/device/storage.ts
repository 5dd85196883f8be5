// What the app keeps on the device. Every key is named here, so that "delete my account" can forget all of it.

export const keys = {
  residentTokens: 'jmk.tokens.resident',
  staffTokens: 'jmk.tokens.staff',
  intents: 'jmk.intents',
  settings: 'jmk.settings',
  welcomed: 'jmk.welcomed',
  recentLogin: 'jmk.recent-login',
  store: 'jmk.clerk-store',
  /** Prefix: one draft per form, such as jmk.draft.report. */
  draft: 'jmk.draft.',
  /** Prefix: what must still show without a network, such as jmk.cache.code.<order>. */
  cache: 'jmk.cache.',
} as const

export function load<T>(key: string): T | null {
  try {
    const text = uni.getStorageSync(key) as unknown
    return typeof text === 'string' && text !== '' ? (JSON.parse(text) as T) : null
  } catch {
    return null // unreadable means absent: an older version's value must not keep the app from starting
  }
}

export function save(key: string, value: unknown): void {
  try {
    uni.setStorageSync(key, JSON.stringify(value))
  } catch {
    // The device is full. What needs the value asks the server again.
  }
}

export function forget(key: string): void {
  uni.removeStorageSync(key)
}

/** Forgets all that belongs to the resident: tokens, intents, drafts and caches. Settings of the screen stay. */
export function forgetResident(): void {
  forget(keys.residentTokens)
  forget(keys.intents)
  forget(keys.recentLogin)
  for (const key of uni.getStorageInfoSync().keys) {
    if (key.startsWith(keys.draft) || key.startsWith(keys.cache)) forget(key)
  }
}
