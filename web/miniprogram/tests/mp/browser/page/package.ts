import type { template } from 'glass-easel'

/** The built mini-program as the bundle hands it over. Paths are without a suffix, but for scripts. */
export interface BuiltPackage {
  /** The server that the build names. */
  origin: string
  configs: Record<string, PageConfig>
  scripts: Record<string, string>
  /** Of each component with isolated styles: the prefix of its classes. */
  styleScopes: Record<string, string>
  templates: string
}

export interface PageConfig {
  component?: boolean
  styleIsolation?: string
  usingComponents?: Record<string, string>
  pages?: string[]
  subPackages?: { root: string; pages: string[] }[]
  tabBar?: { list: { pagePath: string }[] }
  plugins?: Record<string, unknown>
}

type Loaded = Omit<BuiltPackage, 'templates'> & { templates: Record<string, template.ComponentTemplate['content']> }

export const built = (window as unknown as { builtPackage: Loaded }).builtPackage
export const app = built.configs.app!

export const allPages = [...app.pages!, ...app.subPackages!.flatMap((p) => p.pages.map((page) => `${p.root}/${page}`))]
export const isTab = (page: string) => app.tabBar!.list.some((t) => t.pagePath === page)

/** "../components/AppButton" in "pages/home/index" is "components/AppButton". */
export const resolve = (from: string, path: string) => new URL(path, 'http://app/' + from).pathname.slice(1)

/** Where the browser finds what the app names: the server's addresses are the site's own here. */
export const addressOf = (url: string) => (url.startsWith(built.origin + '/') ? url.slice(built.origin.length) : url)
