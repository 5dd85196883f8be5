import { computed, reactive } from 'vue'
import { keys, load, save } from '@/device/storage'
import { isH5 } from '@/device/platform'

export type Appearance = 'auto' | 'light' | 'dark'

interface Settings {
  large: boolean
  appearance: Appearance
}

const settings = reactive<Settings & { systemDark: boolean }>({ large: false, appearance: 'auto', systemDark: false, ...load<Settings>(keys.settings) })

export const isDark = computed(() => (settings.appearance === 'auto' ? settings.systemDark : settings.appearance === 'dark'))
export const isLarge = computed(() => settings.large)
export const appearance = computed(() => settings.appearance)

/** The classes of a page's root: the only place where large text and dark meet the screen. */
export const themeClass = computed(() => ['jm', { 'jm-large': settings.large, 'jm-dark': isDark.value }])

export function setLarge(large: boolean): void {
  settings.large = large
  keep()
}

export function setAppearance(value: Appearance): void {
  settings.appearance = value
  keep()
}

function keep(): void {
  save(keys.settings, { large: settings.large, appearance: settings.appearance })
  paintOutside()
}

/**
 * Colours what lies outside the pages: the browser's background; in WeChat what shows behind a page that is pulled, and the
 * phone's status bar. There it is a page's own and begins as theme.json says for the phone's look, which need not be the one
 * that was chosen here: each page asks for it when it is shown.
 */
export function paintOutside(): void {
  const ground = isDark.value ? '#191310' : '#fbf5ec'
  if (isH5) {
    document.documentElement.style.background = ground
    document.documentElement.style.colorScheme = isDark.value ? 'dark' : 'light'
    return
  }
  uni.setBackgroundColor({ backgroundColor: ground, backgroundTextStyle: isDark.value ? 'light' : 'dark' })
  uni.setNavigationBarColor({ frontColor: isDark.value ? '#ffffff' : '#000000', backgroundColor: ground })
}

export function followSystem(): void {
  const set = (dark: boolean) => {
    settings.systemDark = dark
    paintOutside()
  }
  if (isH5) {
    const query = window.matchMedia('(prefers-color-scheme: dark)')
    query.addEventListener('change', (e) => set(e.matches))
    set(query.matches)
    return
  }
  uni.onThemeChange((r) => set(r.theme === 'dark'))
  set(uni.getSystemInfoSync().theme === 'dark')
}
