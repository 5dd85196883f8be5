import type { State } from '@/app/resource'

export const states: Record<string, State> = { effective: { title: '已生效', tone: 'good' }, pending_approval: { title: '待审批', tone: 'wait' }, rejected: { title: '不同意', tone: 'bad' }, corrected: { title: '已更正', tone: 'idle' } }
export const kinds: Record<string, string> = { attendance: '签到', manual: '补录', correction: '更正' }
export const approvals: Record<string, string> = { none: '不需要', second_person: '另一位工作人员', long_day: '上级地区（当天超过 8 小时）' }
export const options = (words: Record<string, string>) => Object.entries(words).map(([value, title]) => ({ value, title }))
export const ratings = [1, 2, 3, 4, 5].map((n) => ({ value: String(n), title: `${n} 星` }))

const clock = (at: string) => new Date(at).toLocaleTimeString('zh-CN', { timeZone: 'Asia/Shanghai', hour: '2-digit', minute: '2-digit', hour12: false })
export const spanText = (from: string, to: string) => `${clock(from)}–${clock(to)}`
export const ratingText = (n?: number | null) => (n ? `${n} 星` : '未评价')
