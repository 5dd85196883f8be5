import { keys } from '@/device/storage'
import { Client } from './client'
import { deviceTokens } from './tokens'
import type { MpPaths, StaffPaths } from './types'

export const residentTokens = deviceTokens(keys.residentTokens)
export const staffTokens = deviceTokens(keys.staffTokens)

/** What to do when a session ends on the server: the session modules set it, so that this layer knows no screens. */
export const onSignedOut = { resident: () => {}, staff: () => {} }

/** The resident surface, /mp/v1. */
export const mp = new Client<MpPaths>('/mp/v1', residentTokens, () => onSignedOut.resident())
/** The staff surface, /api/v1. */
export const staff = new Client<StaffPaths>('/api/v1', staffTokens, () => onSignedOut.staff())

export { absolute } from './client'
export { withIntent, pending } from './intent'
export { online } from './network'
export { Problem, asProblem } from './problem'
export type { Mp, Staff, Page } from './types'
