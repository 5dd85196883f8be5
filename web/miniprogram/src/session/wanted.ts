import { goTo } from '@/device/links'

// A page that was opened from a code, a message or a card by somebody who has to log in first: it is shown afterwards.

let wanted = ''

/** Leads away to the welcome or the login, and keeps which page was wanted. */
export function leadTo(entrance: string): void {
  const page = getCurrentPages().at(-1) as { $page?: { fullPath?: string } } | undefined
  const path = page?.$page?.fullPath ?? ''
  if (path.includes('?')) wanted = path // a page without a query is found from the home page
  uni.reLaunch({ url: entrance })
}

/** What belongs to somebody else is not shown to who logs in now. */
export const forgetWanted = (): string => (wanted = '')

/** The wanted page, once; else the home page. */
export function goOn(): void {
  const path = wanted
  forgetWanted()
  if (path) uni.reLaunch({ url: path })
  else goTo('/pages/home/index')
}
