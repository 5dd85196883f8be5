import type { Picture } from '@/components/PicturePicker.vue'
import { absolute, type Mp } from '@/api'
import { forget, keys, load, save } from '@/device/storage'
import type { CaseKind } from '@/format/words'

const key = keys.draft + 'report'

/** What is kept of a report that was not sent yet. Never the coordinates: the device forgets where it was. */
export interface Draft {
  category: CaseKind | ''
  text: string
  address: string
  region: Pick<Mp<'RegionDTO'>, 'id' | 'full_name'> | null
  pictures: Picture[]
}

export const emptyDraft = (): Draft => ({ category: '', text: '', address: '', region: null, pictures: [] })

/** The draft of before; of its pictures those that had reached the server, since the others' files are gone. */
export function readDraft(): Draft | null {
  const draft = load<Draft>(key)
  if (!draft) return null
  return { ...emptyDraft(), ...draft, pictures: (draft.pictures ?? []).filter((p) => p.id).map((p) => ({ ...p, local: absolute(p.url), failed: false })) }
}

export function keepDraft(draft: Draft): void {
  if (draft.text.trim() || draft.pictures.length > 0) save(key, draft)
  else forget(key)
}

export const dropDraft = () => forget(key)
