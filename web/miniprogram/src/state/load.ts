import { onPullDownRefresh, onReachBottom } from '@dcloudio/uni-app'
import { computed, ref, shallowRef, type Ref } from 'vue'
import { asProblem, type Page, type Problem } from '@/api'
import type { IconName } from '@/theme/icons'

export type LoadState = 'loading' | 'ready' | 'empty' | 'error'

export function viewOf(state: LoadState, problem: Problem | null): { icon: IconName; title: string } {
  if (state === 'empty') return { icon: 'empty', title: '' }
  if (problem?.kind === 'offline') return { icon: 'offline', title: '没有连上网络' }
  if (problem?.kind === 'busy' || problem?.kind === 'timeout') return { icon: 'clock', title: '请稍等一下' }
  return { icon: 'alert', title: '没有打开' }
}

/** One thing that a page shows. `reload` keeps what is there while it asks again; pulling down reloads. */
export function useLoad<T>(fetch: () => Promise<T>, isEmpty: (value: T) => boolean = () => false) {
  const value = shallowRef<T | null>(null) as Ref<T | null>
  const problem = shallowRef<Problem | null>(null)
  const settled = ref(false)
  let turn = 0

  async function reload(): Promise<void> {
    const mine = ++turn
    try {
      const answer = await fetch()
      if (mine !== turn) return // a later question has been asked: this answer is old
      value.value = answer
      problem.value = null
    } catch (e) {
      if (mine === turn) problem.value = asProblem(e)
    } finally {
      settled.value = true
    }
  }

  onPullDownRefresh(() => void reload().finally(() => uni.stopPullDownRefresh()))

  const state = computed<LoadState>(() => {
    if (value.value !== null) return isEmpty(value.value) ? 'empty' : 'ready'
    return problem.value ? 'error' : settled.value ? 'empty' : 'loading'
  })
  return { value, problem, state, reload }
}

/** A list that is paged by cursor: pull down to start again, reach the bottom for more. */
export function usePages<T>(fetch: (cursor: string) => Promise<Page<T>>) {
  const items = shallowRef<T[]>([]) as Ref<T[]>
  const next = ref<string | null>(null)
  const problem = shallowRef<Problem | null>(null)
  const loading = ref(false)
  const started = ref(false)
  let turn = 0

  async function load(cursor: string): Promise<void> {
    const mine = ++turn
    loading.value = true
    try {
      const page = await fetch(cursor)
      if (mine !== turn) return
      items.value = cursor === '' ? (page.items ?? []) : items.value.concat(page.items ?? [])
      next.value = page.next || null
      problem.value = null
    } catch (e) {
      if (mine === turn) problem.value = asProblem(e)
    } finally {
      if (mine === turn) {
        loading.value = false
        started.value = true
      }
    }
  }

  const reload = () => load('')
  /** Starts again with an empty screen: for a changed filter. */
  const restart = () => {
    items.value = []
    started.value = false
    next.value = null
    return load('')
  }
  const more = async () => {
    if (next.value && !loading.value) await load(next.value)
  }

  onPullDownRefresh(() => void reload().finally(() => uni.stopPullDownRefresh()))
  onReachBottom(() => void more())

  const state = computed<LoadState>(() => {
    if (items.value.length > 0) return 'ready'
    if (problem.value) return 'error'
    return started.value ? 'empty' : 'loading'
  })
  return { items, next, problem, loading, state, reload, restart, more }
}

/** What PagedList needs of a list, whatever its rows are. */
export type PagedList = Omit<ReturnType<typeof usePages>, 'items'>
