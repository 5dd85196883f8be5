import type { RouteRecordRaw } from 'vue-router'

export type Role = 'operator' | 'auditor' | 'organizer' | 'grid_worker' | 'merchant_owner' | 'clerk'

/** One folder of src/resources: its place in the menu, who may see it, its routes. Menu and guards read nothing else. */
export interface Resource {
  name: string
  title: string
  roles: Role[]
  order: number
  routes: RouteRecordRaw[]
}

export interface Column<T> { key: string; title: string; width?: number; text: (row: T) => string }
export interface Filter { key: string; title: string; options?: { value: string; title: string }[] }
export interface Page<T> { items: T[] | null; next: string }
