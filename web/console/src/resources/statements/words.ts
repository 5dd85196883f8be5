import type { State } from '@/app/resource'

export const states: Record<string, State> = { issued: { title: '待确认', tone: 'wait' }, confirmed: { title: '已确认', tone: 'good' }, disputed: { title: '有异议', tone: 'bad' } }
export const kinds: Record<string, string> = { redemption: '核销', reversal: '撤销', adjustment: '调整' }
