import { createRoot, type Root } from './adapter'
import { allPages, isTab } from './package'
import { register } from './scripts'

// The stack of open pages and the rules that WeChat has for it.

type Page = Record<string, unknown> & {
  onLoad?(query: Record<string, string>): unknown
  onShow?(): unknown
  onHide?(): unknown
  onUnload?(): unknown
  onPullDownRefresh?(): unknown
  onShareAppMessage?(from: { from: string }): ShareCard | undefined
}

export interface ShareCard {
  title?: string
  path?: string
  imageUrl?: string
}

interface Screen {
  path: string
  query: Record<string, string>
  element: HTMLElement
  root: Root
  page: Page
}

const deepest = 10
const screens: Screen[] = []
const top = () => screens.at(-1)

export const openPages = () => screens.map((s) => s.page)
export const currentRoute = () => top()?.path ?? ''
export const currentQuery = () => top()?.query ?? {}
export const currentPage = () => top()?.page

class Refused extends Error {}
const refuse = (why: string) => {
  throw new Refused(why)
}

/** "/earn/article/index?id=1" taken apart. WeChat hands values over as they were written, not decoded. */
function parse(url: string): { path: string; query: Record<string, string> } {
  const [path = '', query = ''] = url.replace(/^\//, '').split('?')
  if (!url.startsWith('/') && screens.length > 0) refuse(`relative page "${url}"`)
  if (!allPages.includes(path)) refuse(`page "${path}" is not found`)
  return { path, query: Object.fromEntries(query.split('&').filter(Boolean).map((p) => [p.split('=')[0]!, p.slice(p.indexOf('=') + 1)])) }
}

export function navigateTo(url: string): void {
  const { path, query } = parse(url)
  if (isTab(path)) refuse('can not navigateTo a tabbar page')
  if (screens.length >= deepest) refuse('page limit exceeded')
  hide()
  push(path, query)
}

export function redirectTo(url: string): void {
  const { path, query } = parse(url)
  if (isTab(path)) refuse('can not redirectTo a tabbar page')
  pop()
  push(path, query)
}

export function switchTab(url: string): void {
  const { path } = parse(url)
  if (!isTab(path)) refuse('can not switch to no-tabBar page')
  if (url.includes('?')) refuse('switchTab takes no query')
  while (screens.length > 0) pop()
  push(path, {})
}

export function reLaunch(url: string): void {
  const { path, query } = parse(url)
  while (screens.length > 0) pop()
  push(path, query)
}

export function navigateBack(): void {
  if (screens.length < 2) refuse('cannot navigate back at first page.')
  pop()
  reveal()
}

function push(path: string, query: Record<string, string>): void {
  register(path)
  const element = document.createElement('div')
  const placeholder = element.appendChild(document.createElement('div'))
  document.body.append(element)
  const root = createRoot(path)
  const page = root.get() as unknown as Page
  Object.assign(page, { route: path, options: query })
  screens.push({ path, query, element, root, page })
  root.attach(element as never, placeholder as never)
  page.onLoad?.(query)
  reveal()
}

function reveal(): void {
  const screen = top()!
  screen.element.style.display = ''
  scrollTo(0, 0)
  screen.page.onShow?.()
  screen.root.getComponent().triggerPageLifetime('show', [])
}

function hide(): void {
  const screen = top()
  if (!screen) return
  screen.element.style.display = 'none'
  screen.page.onHide?.()
  screen.root.getComponent().triggerPageLifetime('hide', [])
}

function pop(): void {
  const screen = screens.pop()
  if (!screen) return
  screen.page.onUnload?.()
  screen.root.release()
  screen.element.remove()
}

/** The card that the open page would give to a chat. */
export function shareCurrentPage(from: 'menu' | 'button'): ShareCard {
  const card = top()!.page.onShareAppMessage?.({ from })
  if (!card) throw new Error(`${currentRoute()} has no card to share`)
  return card
}
