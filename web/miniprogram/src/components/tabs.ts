import { staffSession } from '@/session/staff'
import type { IconName } from '@/theme/icons'

export type ResidentTab = 'home' | 'earn' | 'market' | 'wallet' | 'me'
export type StaffTab = 'scan' | 'today' | 'activities' | 'resident'

export interface TabItem {
  id: ResidentTab | StaffTab
  text: string
  icon: IconName
  url: string
  /** In pages.json's tabBar: switchTab keeps such a page alive. The others replace the page. */
  root: boolean
}

export const residentTabs: TabItem[] = [
  { id: 'home', text: '首页', icon: 'home', url: '/pages/home/index', root: true },
  { id: 'earn', text: '赚积分', icon: 'earn', url: '/pages/earn/index', root: true },
  { id: 'market', text: '福利', icon: 'gift', url: '/pages/market/index', root: true },
  { id: 'wallet', text: '积分', icon: 'wallet', url: '/pages/wallet/index', root: true },
  { id: 'me', text: '我的', icon: 'person', url: '/pages/me/index', root: true },
]

/** What the roles of the member of staff on this device can do here, and the way back to being a resident. */
export function staffTabs(): TabItem[] {
  const tabs: TabItem[] = []
  if (staffSession.isClerk.value) {
    tabs.push({ id: 'scan', text: '扫码', icon: 'scan', url: '/clerk/scan/index', root: false })
    tabs.push({ id: 'today', text: '今天', icon: 'list', url: '/clerk/today/index', root: false })
  }
  if (staffSession.isOrganizer.value) tabs.push({ id: 'activities', text: '活动', icon: 'flag', url: '/organizer/activities/index', root: false })
  tabs.push({ id: 'resident', text: '我的', icon: 'person', url: '/pages/me/index', root: true })
  return tabs
}
