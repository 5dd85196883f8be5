import type { State } from '@/app/resource'

export const states: Record<string, State> = { held: { title: '待核销', tone: 'busy' }, redeemed: { title: '已核销', tone: 'good' }, cancelled: { title: '已取消', tone: 'idle' }, expired: { title: '已过期', tone: 'idle' }, reversed: { title: '已撤销', tone: 'bad' } }
