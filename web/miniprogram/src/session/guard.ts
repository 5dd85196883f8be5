import { onShow } from '@dcloudio/uni-app'
import { paintOutside } from '@/theme/settings'
import { resident } from './resident'
import { staffSession } from './staff'
import { welcomed } from './consent'
import { leadTo } from './wanted'

/** Call in the set-up of a page that needs a resident: others are led to the welcome page or the login. */
export function needResident(then?: () => unknown): void {
  onShow(() => {
    paintOutside()
    if (!resident.signedIn.value) {
      leadTo(welcomed() ? '/pages/login/index' : '/pages/welcome/index')
      return
    }
    then?.()
  })
}

/** The same for pages of clerks and organizers. */
export function needStaff(then?: () => unknown): void {
  onShow(() => {
    paintOutside()
    if (!staffSession.signedIn.value) {
      uni.reLaunch({ url: '/account/staff-login/index' })
      return
    }
    then?.()
  })
}
