import { onHide, onShow, onUnload } from '@dcloudio/uni-app'
import { computed, ref, shallowRef } from 'vue'
import { asProblem, mp, type Mp, type Problem } from '@/api'

type Session = Mp<'ReadingSessionDTO'>

/**
 * One reading, timed by the server: beats go out only while the page is on the screen, and what counts is what the
 * server has credited. Between two beats the shown time runs on by itself, never beyond what the next beat can credit.
 */
export function useReading() {
  const session = shallowRef<Session | null>(null)
  const problem = shallowRef<Problem | null>(null)
  const paused = ref(false)
  const sinceBeat = ref(0)
  let clock: ReturnType<typeof setInterval> | undefined
  let beating = false

  const open = computed(() => session.value?.status === 'open')
  const credited = computed(() => {
    const s = session.value
    if (!s) return 0
    return Math.min(s.min_seconds, s.credited_seconds + (open.value ? Math.min(sinceBeat.value, s.heartbeat_seconds) : 0))
  })
  const enough = computed(() => open.value && session.value!.seconds_left === 0)

  async function start(articleId: string): Promise<void> {
    problem.value = null
    try {
      session.value = await mp.call('post', '/articles/{id}/reading-sessions', { path: { id: articleId } })
      run()
    } catch (e) {
      problem.value = asProblem(e)
    }
  }

  function run() {
    clearInterval(clock)
    sinceBeat.value = 0
    if (!open.value || paused.value) return
    clock = setInterval(() => {
      sinceBeat.value++
      const s = session.value
      if (s && s.seconds_left > 0 && sinceBeat.value >= s.heartbeat_seconds) void beat()
    }, 1000)
  }

  async function beat(): Promise<void> {
    if (beating || !open.value) return
    beating = true
    try {
      session.value = await mp.call('post', '/reading-sessions/{id}/beats', { path: { id: session.value!.id } })
      problem.value = null
      sinceBeat.value = 0
      if (session.value.seconds_left === 0) clearInterval(clock)
    } catch (e) {
      // The next second tries again; an ended session is said and not tried again.
      problem.value = asProblem(e)
      if (problem.value.status === 410 || problem.value.status === 404) clearInterval(clock)
    } finally {
      beating = false
    }
  }

  function pause() {
    if (paused.value) return
    paused.value = true
    clearInterval(clock)
    void beat() // what has been read up to now counts
  }

  /** The first beat after a pause tells the server that somebody is here again. */
  function resume() {
    if (!paused.value) return
    paused.value = false
    void beat().then(run)
  }

  const complete = (): Promise<Mp<'ReadingCompletionDTO'>> => mp.call('post', '/reading-sessions/{id}/complete', { path: { id: session.value!.id } })

  onShow(resume)
  onHide(pause)
  onUnload(() => clearInterval(clock))
  // #ifdef H5
  const seen = () => (document.hidden ? pause() : resume())
  document.addEventListener('visibilitychange', seen)
  onUnload(() => document.removeEventListener('visibilitychange', seen))
  // #endif
  return { session, problem, paused, credited, enough, start, complete }
}
