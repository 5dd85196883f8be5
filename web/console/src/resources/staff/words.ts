import { roleTitles } from '@/session/session'
import type { Option, State } from '@/app/resource'

export const states: Record<string, State> = { active: { title: '正常', tone: 'good' }, disabled: { title: '已停用', tone: 'bad' } }
export const roleOptions: Option[] = Object.entries(roleTitles).map(([value, title]) => ({ value, title }))
/** Roles over a region; those at a merchant are given where the account is made. */
export const regionRoles = roleOptions.filter((r) => ['operator', 'auditor', 'organizer', 'grid_worker'].includes(r.value))
