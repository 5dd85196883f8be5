import type { Staff } from '@/api'
import { count, minutesText } from '@/format'

type Attendee = Staff<'AttendeeDTO'>
type Item = Staff<'ConfirmItemFields'>
type Outcome = Staff<'ConfirmOutcomeDTO'>

export type Decision = 'confirm' | 'reject' | 'later'

/** What the organizer says about one person. Numbers are kept as typed. */
export interface Verdict {
  decision: Decision
  minutes: string
  minutesReason: string
  rating: string
  rejectReason: string
}

const served = (a: Attendee) => a.attendance?.served_minutes ?? 0

/** What stands before the organizer has said anything: all of the time, well done. */
export const plainVerdict = (a: Attendee): Verdict => ({ decision: 'confirm', minutes: String(served(a)), minutesReason: '', rating: '5', rejectReason: '' })

export const changesMinutes = (a: Attendee, v: Verdict) => v.decision === 'confirm' && v.minutes.trim() !== String(served(a))

/** What is missing before this one can be sent; empty when nothing is. The server checks it again. */
export function verdictFault(a: Attendee, v: Verdict): string {
  if (v.decision === 'reject') return v.rejectReason.trim().length < 2 ? `请写明为什么不予确认${a.nickname}` : ''
  if (!changesMinutes(a, v)) return ''
  if (!/^\d{1,4}$/.test(v.minutes.trim()) || Number(v.minutes) > served(a)) return `${a.nickname}最多计 ${served(a)} 分钟`
  return v.minutesReason.trim().length < 2 ? `请写明为什么改${a.nickname}的时长` : ''
}

/** The verdict as the API takes it. */
export function confirmItem(a: Attendee, v: Verdict): Item {
  if (v.decision === 'reject') return { signup_id: a.signup_id, reject_reason: v.rejectReason.trim() }
  const other = changesMinutes(a, v) ? { minutes: Number(v.minutes), minutes_reason: v.minutesReason.trim() } : {}
  return { signup_id: a.signup_id, quality_rating: Number(v.rating), ...other }
}

const awards: Record<string, string> = { posted: '', capped: '，积分已到上限', budget_exhausted: '，本期积分发完了，以后补发', no_rule: '，这项活动不发积分' }

/** What came of it, in a sentence. */
export function outcomeText(nickname: string, o: Outcome): string {
  if (o.refusal?.code) return `${nickname}：没有确认。${o.refusal.detail}`
  if (o.status === 'rejected') return `${nickname}：不予确认`
  if (o.credit === 'too_short') return `${nickname}：不到计划时间的六成，不计时长`
  const approval = o.record_state === 'pending_approval' ? '（一天超过 8 小时，等上级审批）' : ''
  return `${nickname}：${minutesText(o.minutes)}，${count(o.points)} 分${awards[o.award] ?? ''}${approval}`
}
