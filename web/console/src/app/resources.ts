import type { Resource, Role } from './resource'

// A new folder is found by itself, so that two people adding resources touch no common file.
const found = import.meta.glob<{ default: Resource }>('../resources/*/index.ts', { eager: true })
export const resources = Object.values(found).map((m) => m.default).sort((a, b) => a.order - b.order)

export function allowed(resource: Pick<Resource, 'roles'>, role: Role | undefined): boolean {
  return role !== undefined && resource.roles.includes(role)
}
