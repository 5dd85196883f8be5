import { onHide, onShow, onUnload } from '@dcloudio/uni-app'
import { ref } from 'vue'

/** The time, every second while the page is on the screen; for countdowns. `aheadMs` is how far the server's clock is ahead. */
export function useNow() {
  const now = ref(Date.now())
  const aheadMs = ref(0)
  let timer: ReturnType<typeof setInterval> | undefined
  const tick = () => (now.value = Date.now() + aheadMs.value)
  const stop = () => clearInterval(timer)
  onShow(() => {
    stop()
    tick()
    timer = setInterval(tick, 1000)
  })
  onHide(stop)
  onUnload(stop)
  /** A phone's clock can be wrong: count on the server's. */
  const follow = (serverTime: string) => {
    aheadMs.value = Date.parse(serverTime) - Date.now()
    tick()
  }
  return { now, follow }
}
