import { mp } from '@/api'
import { pageFor } from '@/device/links'

/** Goes where a mini-program code leads that hangs on a wall: only the server knows what its scene stands for. */
export async function followScene(scene: string): Promise<void> {
  const { kind, id } = await mp.call('get', '/scenes/{scene}', { path: { scene: decodeURIComponent(scene).slice(0, 32) } })
  uni.navigateTo({ url: pageFor(kind === 'activity' ? 'activities' : 'benefits', id) })
}
