import { onScopeDispose, ref } from 'vue'

// Counted up when the look changes from light to dark: a canvas takes its colours when it is drawn.
const look = ref(0)

/** The theme's colours for what is drawn on a canvas. */
export function inkOf() {
  void look.value
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  return { good: colour('--el-color-primary'), wait: '#c98a2e', text: colour('--el-text-color-regular'), quiet: colour('--jm-quiet'), line: colour('--jm-line'), paper: colour('--el-bg-color') }
}

export function followLook(): void {
  const watcher = new MutationObserver(() => look.value++)
  watcher.observe(document.documentElement, { attributeFilter: ['class'] })
  onScopeDispose(() => watcher.disconnect())
}
