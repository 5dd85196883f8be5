import type { State } from '@/app/resource'

export const states: Record<string, State> = {
  submitted: { title: '待受理', tone: 'wait' }, accepted: { title: '已受理', tone: 'wait' }, dispatched: { title: '已分派', tone: 'busy' }, handling: { title: '办理中', tone: 'busy' },
  reopened: { title: '要求重办', tone: 'bad' }, handled: { title: '待居民确认', tone: 'busy' }, confirmed: { title: '居民已确认', tone: 'good' }, closed: { title: '已办结', tone: 'idle' },
  rejected: { title: '不予受理', tone: 'idle' }, withdrawn: { title: '已撤回', tone: 'idle' },
}
/** The columns of the board: what somebody still has to do, then what waits for the reporter. */
export const columns: { title: string; statuses: string[] }[] = [
  { title: '待受理', statuses: ['submitted'] },
  { title: '待办理', statuses: ['accepted', 'dispatched', 'reopened'] },
  { title: '办理中', statuses: ['handling'] },
  { title: '待居民确认', statuses: ['handled'] },
  { title: '待办结', statuses: ['confirmed'] },
]
export const isWaiting = (status: string) => ['submitted', 'accepted', 'dispatched', 'reopened', 'handling'].includes(status)
export const categories: Record<string, string> = { sanitation: '环境卫生', facility: '公共设施', safety: '安全隐患', order: '公共秩序', care: '民生关爱', dispute: '矛盾纠纷', other: '其他' }
export const moveTitles: Record<string, string> = {
  report: '居民上报', pass_content: '内容审核通过', reject_content: '内容审核不通过', accept: '受理', reject: '不予受理', dispatch: '分派', start: '开始办理', finish: '办理完成',
  confirm: '居民确认', auto_confirm: '到期自动确认', reopen: '居民要求重办', close: '办结', give_up: '说明原因后办结', withdraw: '居民撤回',
}
/** What a case is called: its title, or the beginning of what was told. */
export const nameOf = (c: { title: string; text: string; number: string }) => c.title || c.text.slice(0, 40) || c.number
