import type { Mp } from '@/api'
import type { IconName } from '@/theme/icons'
import { count, minutesText } from './index'

// The words for states and kinds that the resident surface names: those of docs/glossary.md.

type Tone = 'plain' | 'brand' | 'green' | 'gold' | 'danger'
export interface Word {
  text: string
  tone: Tone
}

export type Earning = Mp<'EarningDTO'>

/** Where each way of earning begins. */
export const earningWays: Record<Earning['event_kind'], { title: string; icon: IconName; link: string; times: string }> = {
  article_read: { title: '看播报', icon: 'news', link: '/earn/articles/index', times: '篇' },
  volunteer_service: { title: '做志愿', icon: 'heart', link: '/earn/activities/index', times: '次' },
  report_verified: { title: '报问题', icon: 'flag', link: '/earn/report/index', times: '件' },
  daily_sign_in: { title: '签到', icon: 'calendar', link: '/earn/sign-in/index', times: '次' },
}

const entryKinds: Record<Mp<'WalletEntryDTO'>['kind'], string> = { earn: '获得', capture: '兑换', reverse: '撤销', expire: '到期', adjust: '调账' }
const entrySources: Record<string, string> = {
  article_read: '读完一篇播报',
  volunteer_service: '做志愿',
  report_verified: '上报的问题核实了',
  daily_sign_in: '每日签到',
}

export const entryKindText = (kind: Mp<'WalletEntryDTO'>['kind']) => entryKinds[kind]

/** What an entry of the wallet is for: its own reason, else what it came from. */
export const entryTitle = (e: Pick<Mp<'WalletEntryDTO'>, 'reason' | 'source' | 'kind'>) => e.reason || entrySources[e.source] || entryKinds[e.kind]

/** "每篇 1 分", "每30分钟 2 分，一次最多 8 分". */
export function earningText(e: Earning): string {
  if (e.per_minutes <= 0) return `每${earningWays[e.event_kind].times} ${count(e.points)} 分`
  const most = e.max_points > 0 ? `，一次最多 ${count(e.max_points)} 分` : ''
  return `每${minutesText(e.per_minutes)} ${count(e.points)} 分${most}`
}

export const activityKinds = [
  { value: 'community', text: '社区服务' },
  { value: 'elderly', text: '关爱老人' },
  { value: 'children', text: '关爱儿童' },
  { value: 'disabled', text: '助残' },
  { value: 'environment', text: '环境保护' },
  { value: 'safety', text: '平安巡护' },
  { value: 'culture', text: '文化' },
  { value: 'sports', text: '体育' },
  { value: 'health', text: '健康' },
  { value: 'education', text: '助学' },
  { value: 'rescue', text: '应急救援' },
  { value: 'event', text: '大型活动' },
  { value: 'mediation', text: '调解' },
  { value: 'other', text: '其他' },
] as const

export type ActivityKind = (typeof activityKinds)[number]['value']

export const activityKindText = (kind: string) => activityKinds.find((k) => k.value === kind)?.text ?? '其他'

export type CaseKind = Mp<'ReportInputBody'>['category']

export const caseKinds: { value: CaseKind; text: string; hint: string }[] = [
  { value: 'sanitation', text: '环境卫生', hint: '垃圾、污水、乱堆放' },
  { value: 'facility', text: '设施损坏', hint: '路灯、井盖、健身器材' },
  { value: 'safety', text: '安全隐患', hint: '消防、用电、积水' },
  { value: 'order', text: '秩序问题', hint: '乱停车、噪音、占道' },
  { value: 'care', text: '需要帮助的人', hint: '独居老人、困难家庭' },
  { value: 'dispute', text: '邻里纠纷', hint: '想请人来调解' },
  { value: 'other', text: '其他', hint: '上面都不是' },
]

export const caseKindText = (kind: string) => caseKinds.find((k) => k.value === kind)?.text ?? '其他'

const caseWords: Record<Mp<'CaseDTO'>['status'], Word> = {
  submitted: { text: '已提交', tone: 'gold' },
  accepted: { text: '已受理', tone: 'gold' },
  dispatched: { text: '已派人', tone: 'gold' },
  handling: { text: '办理中', tone: 'gold' },
  handled: { text: '等您答复', tone: 'brand' },
  reopened: { text: '重新办理', tone: 'gold' },
  confirmed: { text: '您已确认', tone: 'green' },
  closed: { text: '已办结', tone: 'green' },
  rejected: { text: '没有受理', tone: 'plain' },
  withdrawn: { text: '已撤回', tone: 'plain' },
}

export const caseWord = (status: Mp<'CaseDTO'>['status']): Word => caseWords[status]

/** The way of a report, for a bar of stages. */
export const caseStages = ['提交', '受理', '办理', '答复', '办结']

const stageOf: Partial<Record<Mp<'CaseDTO'>['status'], number>> = { submitted: 0, accepted: 1, dispatched: 1, handling: 2, reopened: 2, handled: 3, confirmed: 4, closed: 4 }

/** Which of caseStages a report has reached; -1 for one that went no way. */
export const caseStage = (status: Mp<'CaseDTO'>['status']): number => stageOf[status] ?? -1

const caseMoves: Record<string, string> = {
  report: '您上报了',
  pass_content: '内容审核通过',
  reject_content: '内容没有通过审核',
  accept: '村社受理了',
  reject: '没有受理',
  dispatch: '派给了办理的人',
  start: '开始办理',
  finish: '办好了，请您看看',
  confirm: '您说解决了',
  auto_confirm: '到期没有答复，按解决办结',
  reopen: '您说没有解决，重新办理',
  close: '办结归档',
  give_up: '说明原因后办结',
  withdraw: '您撤回了',
}

/** What happened in one step of a case. */
export const caseStepText = (move: string, status: Mp<'CaseDTO'>['status']) => caseMoves[move] ?? caseWords[status].text

/** What a report has earned. */
export function casePointsText(p: Mp<'CasePointsDTO'>): string {
  if (p.status === 'posted') return `核实了，得到 ${count(p.points)} 分`
  if (p.status === 'pending') return '核实后会得到积分'
  if (p.status === 'capped') return '今天上报的积分已经得满'
  if (p.status === 'budget_exhausted') return '本期积分发完了，以后会补发'
  return ''
}

/** How far a signup has come: what the organizer's marks say goes before the signup itself. */
export function shiftWord(s: Pick<Mp<'MyShiftDTO'>, 'signup' | 'attendance'>): Word {
  if (s.attendance?.status === 'confirmed') return { text: `已确认 ${minutesText(s.attendance.minutes ?? 0)}`, tone: 'green' }
  if (s.attendance?.status === 'rejected') return { text: '没有确认', tone: 'plain' }
  if (s.attendance?.status === 'checked_out') return { text: '等组织者确认', tone: 'gold' }
  if (s.attendance?.status === 'checked_in') return { text: '已签到，走时请签退', tone: 'brand' }
  if (s.signup.status === 'cancelled') return { text: '已取消', tone: 'plain' }
  if (s.signup.status === 'absent') return { text: '没有到', tone: 'plain' }
  return { text: '已报名', tone: 'brand' }
}
