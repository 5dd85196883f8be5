import { onScopeDispose, ref, watch, type Ref } from 'vue'

/** Follows a value once it has rested: a list is not asked at each key. */
export function refDebounced<T>(source: Ref<T>, milliseconds: number): Readonly<Ref<T>> {
  const rested = ref(source.value) as Ref<T>
  let timer = 0
  watch(source, (now) => {
    clearTimeout(timer)
    timer = setTimeout(() => (rested.value = now), milliseconds) as unknown as number
  })
  onScopeDispose(() => clearTimeout(timer))
  return rested
}
