import { computed, ref } from 'vue'
import { mp, onSignedOut, residentTokens, type Mp } from '@/api'
import { forgetResident, keys, load, save } from '@/device/storage'
import { forgetWanted, leadTo } from './wanted'

export type Profile = Mp<'ProfileDTO'>

const signedIn = ref(mp.signedIn)
const profile = ref<Profile | null>(null)

/** The resident of this device. */
export const resident = {
  signedIn: computed(() => signedIn.value),
  profile: computed(() => profile.value),
  hasHome: computed(() => profile.value?.home_region != null),
}

export interface AgeStatement {
  birth_year?: number
  guardian_consents?: boolean
}

/** Logs in with a single-use code; true when the account is new. */
export async function logIn(code: string, age: AgeStatement = {}): Promise<boolean> {
  const answer = await mp.call('post', '/auth/login', { body: { code, ...age } })
  forgetOthers(answer.resident_id)
  residentTokens.write(answer.tokens)
  signedIn.value = true
  await loadProfile()
  return answer.new
}

/** Drafts and intents of the person who used this device before are nobody else's. */
function forgetOthers(residentId: string): void {
  const before = load<string>(keys.recentLogin)
  if (before === residentId) return
  if (before !== null) forgetWanted()
  forgetResident()
  save(keys.recentLogin, residentId)
}

export async function loadProfile(): Promise<Profile> {
  profile.value = await mp.call('get', '/profile')
  return profile.value
}

/** Ends the session here even when the server cannot be told. */
export async function logOut(): Promise<void> {
  try {
    await mp.call('post', '/auth/logout')
  } finally {
    residentTokens.clear()
    clear()
  }
}

export async function deleteAccount(): Promise<void> {
  await mp.call('delete', '/profile')
  forgetResident()
  clear()
}

function clear(): void {
  signedIn.value = false
  profile.value = null
}

onSignedOut.resident = () => {
  clear()
  leadTo('/pages/login/index')
}
