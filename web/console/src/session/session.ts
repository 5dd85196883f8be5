import { computed, ref } from 'vue'
import { answer, api, type Schemas } from '@/api/client'
import { Problem } from '@/api/problem'
import { queries } from '@/api/queries'
import { endWaiting, pageIsOpen } from './expiry'
import { keepTokens, readTokens } from './tokens'

const self = ref<Schemas['SelfDTO'] | null>(null)
const grantId = ref(sessionStorage.getItem('jmk.grant') ?? '')

export const staff = computed(() => self.value)
export const grants = computed(() => self.value?.grants ?? [])
export const grant = computed(() => grants.value.find((g) => g.id === grantId.value) ?? grants.value[0])
export const roleTitles = { operator: '运营', auditor: '审计', organizer: '组织者', grid_worker: '网格员', merchant_owner: '店主', clerk: '店员' }

export const isRole = (...roles: string[]) => roles.includes(grant.value?.role ?? '')

export function useGrant(id: string): void {
  grantId.value = id
  sessionStorage.setItem('jmk.grant', id)
  // What one role may see must not be left over for the next.
  queries.clear()
}

/** True when somebody is logged in. Throws when the server cannot be asked. */
export async function load(): Promise<boolean> {
  if (self.value) return true
  if (!readTokens()) return false
  try {
    self.value = await answer(api.GET('/auth/self'))
  } catch (err) {
    if (!(err instanceof Problem) || err.status !== 401) throw err
    keepTokens(null)
    return false
  }
  pageIsOpen(true)
  return true
}

/** The first step; an answer that is not null asks for a code and is given to completeLogin. */
export async function login(username: string, password: string): Promise<string | null> {
  const first = await answer(api.POST('/auth/login', { body: { username, password } }))
  if (first.step === 'code') return first.challenge_token
  await enter(first)
  return null
}

export async function completeLogin(challenge: string, code: string): Promise<void> {
  await enter(await answer(api.POST('/auth/login/second-factor', { body: { challenge_token: challenge, code } })))
}

async function enter(tokens: { access_token: string; refresh_token: string; staff_id: string }): Promise<void> {
  const before = self.value?.id
  keepTokens({ access_token: tokens.access_token, refresh_token: tokens.refresh_token })
  // Somebody else must not send the form of the person who left.
  if (before && before !== tokens.staff_id) {
    sessionStorage.removeItem('jmk.drafts')
    return location.assign(import.meta.env.BASE_URL)
  }
  // Replaced, never emptied in between: the page under the login dialog must stay as it is.
  self.value = await answer(api.GET('/auth/self'))
  pageIsOpen(true)
  endWaiting(true)
}

/** Asks who one is anew, after one has changed oneself. */
export async function reload(): Promise<void> {
  self.value = await answer(api.GET('/auth/self'))
}

export const logout = (): Promise<void> => leave(api.POST('/auth/logout'))
export const logoutEverywhere = (): Promise<void> => leave(api.POST('/auth/logout-everywhere'))

async function leave(call: Promise<{ response: Response }>): Promise<void> {
  await answer(call).catch(() => undefined)
  keepTokens(null)
  sessionStorage.removeItem('jmk.drafts')
  self.value = null
  location.assign(import.meta.env.BASE_URL)
}
