import type { State } from '@/app/resource'

export const states: Record<string, State> = { asked: { title: '志愿者申请', tone: 'wait' }, proposed: { title: '待审批', tone: 'busy' }, approved: { title: '已更正', tone: 'good' }, rejected: { title: '不同意', tone: 'bad' }, declined: { title: '不予更正', tone: 'bad' }, withdrawn: { title: '已撤回', tone: 'idle' } }
export const kinds: Record<string, string> = { change: '更正', void: '作废' }
