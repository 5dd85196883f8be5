import type { Option, State } from '@/app/resource'

export const states: Record<string, State> = { draft: { title: '待启用', tone: 'wait' }, active: { title: '营业', tone: 'good' }, suspended: { title: '已停用', tone: 'bad' } }
export const storeStates: Record<string, State> = { open: { title: '营业', tone: 'good' }, closed: { title: '停业', tone: 'idle' } }
export const categories: Record<string, string> = { dining: '餐饮', cinema: '影院', fitness: '健身', retail: '零售', culture: '文化', service: '生活服务', other: '其他' }
export const categoryOptions: Option[] = Object.entries(categories).map(([value, title]) => ({ value, title }))
