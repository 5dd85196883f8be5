import { isH5 } from './platform'

let before = -1

/**
 * While `on`, the screen is as bright as it can be and does not fall asleep, so that a code can be scanned; afterwards
 * it is as before. Browsers do not let a page do this.
 */
export function keepBright(on: boolean): void {
  if (isH5) return
  uni.setKeepScreenOn({ keepScreenOn: on, fail: () => {} })
  if (on && before < 0) {
    uni.getScreenBrightness({
      success: (r: { value: number }) => {
        before = r.value
        uni.setScreenBrightness({ value: 1, fail: () => {} })
      },
      fail: () => {},
    })
  } else if (!on && before >= 0) {
    uni.setScreenBrightness({ value: before, fail: () => {} })
    before = -1
  }
}
