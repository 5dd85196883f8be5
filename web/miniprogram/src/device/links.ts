const roots = ['/pages/home/index', '/pages/earn/index', '/pages/market/index', '/pages/wallet/index', '/pages/me/index']

const pages = {
  activities: '/earn/activity/index',
  articles: '/earn/article/index',
  cases: '/earn/report-detail/index',
  orders: '/spend/order/index',
  benefits: '/spend/benefit/index',
  'service-records': '/earn/service-record/index',
  certificates: '/earn/certificate/index',
} as const

/** The page of one thing. */
export const pageFor = (kind: keyof typeof pages, id: string) => `${pages[kind]}?id=${id}`

/** The page that shows what an API path names, such as "/cases/01J…"; empty when no page of this app does. */
export function pageOf(link: string): string {
  if (link === '/wallet') return '/pages/wallet/index'
  const [, kind = '', id = ''] = /^\/([a-z-]+)\/([0-9A-Z]{26})$/.exec(link) ?? []
  return Object.keys(pages).includes(kind) ? pageFor(kind as keyof typeof pages, id) : ''
}

/** Goes to a page, whether or not it is a tab. */
export function goTo(url: string): void {
  if (roots.includes(url)) uni.switchTab({ url })
  else uni.navigateTo({ url })
}
