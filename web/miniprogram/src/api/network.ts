import { ref } from 'vue'

/** Whether the device has a network. The page frame shows a banner while it is false. */
export const online = ref(true)

export function watchNetwork(): void {
  uni.getNetworkType({ success: (r) => (online.value = r.networkType !== 'none') })
  uni.onNetworkStatusChange((r) => (online.value = r.isConnected))
  // #ifdef H5
  // uni listens to navigator.connection where there is one, which says nothing of a network that is cut.
  addEventListener('offline', () => (online.value = false))
  addEventListener('online', () => (online.value = true))
  // #endif
}
