import type { Staff } from '@/api'
import type { Word } from '@/format/words'
import { dayText, minutesText, timeText } from '@/format'

// The words of states on the organizer's pages: those of docs/glossary.md.

const activityWords: Record<Staff<'ActivityDTO'>['status'], Word> = {
  draft: { text: '草稿', tone: 'gold' },
  published: { text: '已发布', tone: 'green' },
  cancelled: { text: '已取消', tone: 'plain' },
  finished: { text: '已结束', tone: 'plain' },
}
export const activityWord = (status: Staff<'ActivityDTO'>['status']): Word => activityWords[status]

/** "11月26日 09:00–11:00". */
export const shiftSpan = (s: { starts_at: string; ends_at: string }) => `${dayText(s.starts_at)} ${timeText(s.starts_at)}–${timeText(s.ends_at)}`

/** How many of the people listed are where: signed up and not come, there now, waiting for their hours, confirmed. */
export function headCounts(people: Staff<'AttendeeDTO'>[]) {
  const at = (status: string) => people.filter((a) => a.attendance?.status === status).length
  return {
    expected: people.filter((a) => a.status === 'signed_up' && !a.attendance).length,
    present: at('checked_in'),
    waiting: at('checked_out'),
    confirmed: at('confirmed'),
  }
}

/** How far one person of a shift has come. */
export function attendeeWord(a: Staff<'AttendeeDTO'>): Word {
  const at = a.attendance
  if (at?.status === 'confirmed') return { text: `已确认 ${minutesText(at.minutes ?? 0)}`, tone: 'green' }
  if (at?.status === 'rejected') return { text: '不予确认', tone: 'plain' }
  if (at?.status === 'checked_out') return { text: '待确认时长', tone: 'brand' }
  if (at?.status === 'checked_in') return { text: '已签到，未签退', tone: 'gold' }
  if (a.status === 'cancelled') return { text: '已取消', tone: 'plain' }
  if (a.status === 'absent') return { text: '没有到', tone: 'plain' }
  return { text: '已报名', tone: 'brand' }
}
