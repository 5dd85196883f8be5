import { beforeEach, vi } from 'vitest'

// The little of `uni` that pure logic touches: storage that lives as long as one test.
const store = new Map<string, string>()
beforeEach(() => store.clear())

vi.stubGlobal('uni', {
  getStorageSync: (k: string) => store.get(k) ?? '',
  setStorageSync: (k: string, v: string) => void store.set(k, v),
  removeStorageSync: (k: string) => void store.delete(k),
  getStorageInfoSync: () => ({ keys: [...store.keys()] }),
})
