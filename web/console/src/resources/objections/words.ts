import type { State } from '@/app/resource'

export const states: Record<string, State> = { open: { title: '待答复', tone: 'wait' }, answered: { title: '已答复', tone: 'good' }, closed: { title: '已了结', tone: 'idle' } }
