import type { RouteRecordRaw } from 'vue-router'

export type Role = 'operator' | 'auditor' | 'organizer' | 'grid_worker' | 'merchant_owner' | 'clerk'

/** Work that waits for somebody: a number on the start page that leads to its list. `more` says that there is more than was counted. */
export interface Work {
  title: string
  to: string
  roles: Role[]
  count: () => Promise<{ count: number; more?: boolean }>
}

/** The subjects of the menu, in their order. */
export const groups = ['事务', '志愿服务', '福利与结算', '积分', '人员与地区', '监督', '系统'] as const

/** One folder of src/resources: its place in the menu, who may see it, its routes, its open work. Menu, guards and start page read nothing else. */
export interface Resource {
  name: string
  title: string
  group: (typeof groups)[number]
  roles: Role[]
  order: number
  routes: RouteRecordRaw[]
  work?: Work[]
}

/** What a state means for the reader: it waits for somebody, is under way, went well, went wrong, or rests. */
export type Tone = 'wait' | 'busy' | 'good' | 'bad' | 'idle'
export interface State { title: string; tone: Tone }

export interface Option { value: string; title: string }

/** With `tone` the cell is a tag, with `to` a link where that says one; with `number` it stands at the right, with `wrap` it may take more lines; with `sort` the server sorts by it. S is what it can sort by: SortOf its path. */
export interface Column<T, S extends string = never> { key: string; title: string; width?: number; number?: boolean; wrap?: boolean; sort?: S; text: (row: T) => string; tone?: (row: T) => Tone; to?: (row: T) => string }
/** With `options` a choice; else text, a day or a region. */
export interface Filter { key: string; title: string; options?: Option[]; kind?: 'day' | 'region' }
export interface Page<T> { items: T[] | null; next: string }

/** The options of a filter by state. */
export const optionsOf = (states: Record<string, State>): Option[] => Object.entries(states).map(([value, s]) => ({ value, title: s.title }))

/** Counts a list by its first page. */
export function counted(page: Page<unknown>): { count: number; more: boolean } {
  return { count: page.items?.length ?? 0, more: page.next !== '' }
}
