import type { State } from '@/app/resource'

export const states: Record<string, State> = { proposed: { title: '待审批', tone: 'wait' }, approved: { title: '已入账', tone: 'good' }, rejected: { title: '不同意', tone: 'bad' }, expired: { title: '已过期', tone: 'idle' } }
export const kinds: Record<string, string> = { credit: '补发', debit: '扣减', reverse: '撤销' }
export const reasons: Record<string, string> = { wrong_award: '发错积分', missed_award: '漏发积分', duplicate: '重复入账', compensation: '补偿', fraud: '违规获得', test: '测试', other: '其他' }
export const options = (words: Record<string, string>) => Object.entries(words).map(([value, title]) => ({ value, title }))
