import { computed, ref } from 'vue'
import { answer, api, type Schemas } from '@/api/client'
import { endWaiting } from './expiry'
import { keepTokens, readTokens } from './tokens'

const self = ref<Schemas['StaffDTO'] | null>(null)
const grantId = ref(sessionStorage.getItem('jmk.grant') ?? '')

export const staff = computed(() => self.value)
export const grants = computed(() => self.value?.grants ?? [])
export const grant = computed(() => grants.value.find((g) => g.id === grantId.value) ?? grants.value[0])

export function useGrant(id: string): void {
  grantId.value = id
  sessionStorage.setItem('jmk.grant', id)
}

export async function load(): Promise<boolean> {
  if (self.value) return true
  if (!readTokens()) return false
  self.value = await answer(api.GET('/auth/self'))
  return true
}

export async function login(username: string, password: string): Promise<void> {
  const before = self.value?.id
  const tokens = await answer(api.POST('/auth/login', { body: { username, password } }))
  keepTokens(tokens)
  // Somebody else must not send the form of the person who left.
  if (before && before !== tokens.staff_id) return location.reload()
  self.value = null
  await load()
  endWaiting(true)
}

export async function logout(): Promise<void> {
  await answer(api.POST('/auth/logout')).catch(() => undefined)
  keepTokens(null)
  self.value = null
  location.assign(import.meta.env.BASE_URL)
}
