import { computed, ref } from 'vue'
import { staff, type Page, type Staff } from '@/api'
import { keys, load, save } from '@/device/storage'
import { loadSelf, staffSession } from '@/session/staff'

export type Store = Pick<Staff<'StoreDTO'>, 'id' | 'name' | 'address' | 'merchant_id'>
const chosen = ref<Store | null>(load<Store>(keys.store))

/** The store that this phone redeems for. */
export const counterStore = computed(() => chosen.value)

export function chooseStore(s: Store): void {
  chosen.value = { id: s.id, name: s.name, address: s.address, merchant_id: s.merchant_id }
  save(keys.store, chosen.value)
}

const perPage = 100
// A merchant with more stores than this picks in the console; every loop has an end.
const mostPages = 5

/** The open stores of every merchant that this member of staff works for. */
export async function myStores(): Promise<Page<Staff<'StoreDTO'>>> {
  const self = staffSession.self.value ?? (await loadSelf())
  const merchants = [...new Set((self.grants ?? []).map((g) => g.merchant_id).filter(Boolean))]
  const lists = await Promise.all(merchants.map(storesOf))
  return { items: lists.flat().filter((s) => s.status === 'open'), next: '' }
}

async function storesOf(id: string): Promise<Staff<'StoreDTO'>[]> {
  const all: Staff<'StoreDTO'>[] = []
  let cursor = ''
  for (let i = 0; i < mostPages; i++) {
    const page = await staff.call('get', '/merchants/{id}/stores', { path: { id }, query: { cursor, limit: perPage } })
    all.push(...(page.items ?? []))
    if (!page.next) break
    cursor = page.next
  }
  return all
}

/** Makes sure that a store is chosen and still this person's own: the only one is taken without asking. Null: ask. */
export async function settleStore(): Promise<Store | null> {
  const stores = (await myStores()).items ?? []
  const known = stores.find((s) => s.id === load<Store>(keys.store)?.id)
  const store = known ?? (stores.length === 1 ? stores[0]! : null)
  if (store) chooseStore(store)
  else chosen.value = null
  return store
}
