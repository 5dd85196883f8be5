// Where somebody wanted to go who had to log in first: a card from a chat or a printed code leads there after the login.
let wanted = ''

/** Remembers the page that is open, with its query. */
export function wantThisPage(): void {
  const page = getCurrentPages().at(-1) as { $page?: { fullPath?: string } } | undefined
  wanted = page?.$page?.fullPath ?? ''
}

/** After the login: to where the person wanted to go, else to the home page. */
export function goOn(): void {
  const url = wanted
  wanted = ''
  if (url.startsWith('/') && url !== '/') uni.reLaunch({ url })
  else uni.switchTab({ url: '/pages/home/index' })
}
