import { ref } from 'vue'
import { locate, type Position } from '@/device/location'
import { consents, grant } from './consent'

/**
 * The position, asked for only with consent. Without one the first `find` gives null and `asksConsent` says so: the
 * button then has to say that pressing it again agrees.
 */
export function usePosition() {
  const asksConsent = ref(false)
  const unknown = ref(false)

  async function find(): Promise<Position | null> {
    unknown.value = false
    const given = (await consents()).find((c) => c.purpose === 'location')?.granted ?? false
    if (!given && !asksConsent.value) {
      asksConsent.value = true
      return null
    }
    if (!given) await grant('location')
    asksConsent.value = false
    const position = await locate()
    unknown.value = position === null
    return position
  }
  return { asksConsent, unknown, find }
}
