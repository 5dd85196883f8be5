import { computed, ref } from 'vue'
import { onSignedOut, staff, staffTokens, type Staff } from '@/api'
import { forget, keys } from '@/device/storage'

export type StaffSelf = Staff<'StaffDTO'>
export type Role = 'operator' | 'auditor' | 'organizer' | 'grid_worker' | 'merchant_owner' | 'clerk'

const signedIn = ref(staff.signedIn)
const self = ref<StaffSelf | null>(null)
const roles = computed(() => new Set((self.value?.grants ?? []).map((g) => g.role as Role)))

/** The member of staff on this device, beside the resident: one phone, two sessions. */
export const staffSession = {
  signedIn: computed(() => signedIn.value),
  self: computed(() => self.value),
  isClerk: computed(() => roles.value.has('clerk') || roles.value.has('merchant_owner')),
  isOrganizer: computed(() => roles.value.has('organizer')),
}

export async function logInWithPassword(username: string, password: string): Promise<void> {
  staffTokens.write(await staff.call('post', '/auth/login', { body: { username, password } }))
  await enter()
}

export async function logInWithWeChat(code: string): Promise<void> {
  staffTokens.write(await staff.call('post', '/auth/login-wechat', { body: { code } }))
  await enter()
}

async function enter(): Promise<void> {
  signedIn.value = true
  await loadSelf()
}

export async function loadSelf(): Promise<StaffSelf> {
  self.value = await staff.call('get', '/auth/self')
  return self.value
}

export async function logOutStaff(): Promise<void> {
  try {
    await staff.call('post', '/auth/logout')
  } finally {
    staffTokens.clear()
    clear()
  }
}

function clear(): void {
  forget(keys.store)
  signedIn.value = false
  self.value = null
}

/** Where a member of staff starts: the first page of the strongest role that this app serves. */
export function staffHome(): string {
  if (staffSession.isClerk.value) return '/clerk/scan/index'
  if (staffSession.isOrganizer.value) return '/organizer/activities/index'
  return ''
}

onSignedOut.staff = () => {
  clear()
  uni.reLaunch({ url: '/account/staff-login/index' })
}
