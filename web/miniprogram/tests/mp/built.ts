import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** The mini-program as WeChat gets it; prepare.mjs builds it. */
export const builtFolder = fileURLToPath(new URL('../../dist/build/mp-weixin', import.meta.url))

/** What the build names: its server, and the version of the plugin for voice input. */
export const builtSettings = () => JSON.parse(readFileSync(builtFolder + '.built.json', 'utf8')) as { VITE_API_ORIGIN: string; VITE_WECHAT_SI_VERSION: string }
export const builtOrigin = () => builtSettings().VITE_API_ORIGIN

export interface AppJson {
  pages: string[]
  subPackages: { root: string; pages: string[] }[]
  tabBar: { custom: boolean; list: { pagePath: string; text: string }[] }
  requiredPrivateInfos: string[]
  permission: Record<string, { desc: string }>
  __usePrivacyCheck__: boolean
  lazyCodeLoading: string
  darkmode: boolean
  themeLocation: string
  plugins?: Record<string, { version: string; provider: string }>
  window: Record<string, unknown>
}

export const readJson = <T>(folder: string, file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as T
export const appJson = () => readJson<AppJson>(builtFolder, 'app.json')

/** Every page of the app, main package first, such as "earn/article/index". */
export const allPages = (app = appJson()) => [...app.pages, ...app.subPackages.flatMap((p) => p.pages.map((page) => `${p.root}/${page}`))]

/** All files below a folder, relative to it. */
export const filesUnder = (folder: string) =>
  (readdirSync(folder, { recursive: true }) as string[]).filter((f) => statSync(join(folder, f)).isFile()).sort()

/** A copy of the build for one test to break. */
export function copyOfBuild(): string {
  const folder = mkdtempSync(join(tmpdir(), 'jmk-mp-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(builtFolder, folder, { recursive: true })
  return folder
}

/** Changes one file of a copy. */
export function change(folder: string, file: string, edit: (text: string) => string): void {
  const path = join(folder, file)
  writeFileSync(path, edit(readFileSync(path, 'utf8')))
}
