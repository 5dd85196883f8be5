import type { Schemas } from '@/api/client'
import { countText, pointsText } from '@/shared/words'

export interface Figure { title: string; value: string; note: string }
type Cases = { on_time: number; late: number; overdue: number }

/** Of the cases that are done or due, how many were in time; nothing is said of none. */
export function onTime(c?: Cases): string {
  const all = c ? c.on_time + c.late + c.overdue : 0
  return all > 0 ? `${Math.round((c!.on_time / all) * 100)}%` : '—'
}

/** What corrections added or took, in hours: a figure of its own beside the hours that took effect. */
const correctedText = (minutes: number): string => (minutes ? `更正 ${minutes > 0 ? '+' : '−'}${(Math.abs(minutes) / 60).toLocaleString('zh-CN', { maximumFractionDigits: 1 })} 小时` : '期内')

/** What has not been counted yet is a dash: a nought would be taken for the truth. */
export function figuresOf(p: Schemas['PointsReportDTO'], q: Schemas['ParticipationReportDTO'], c: Schemas['CaseReportDTO']): Figure[] {
  const daily = (n: number, counted: unknown) => (counted ? pointsText(n) : '—')
  return [
    { title: '发放积分', value: daily(p.total.issued, p.counted_at), note: p.total.taken_back ? `撤销 ${pointsText(p.total.taken_back)}` : '期内' },
    { title: '核销积分', value: daily(p.total.redeemed, p.counted_at), note: p.total.returned ? `退回 ${pointsText(p.total.returned)}` : '期内' },
    { title: '到期积分', value: daily(p.total.expired, p.counted_at), note: '期内' },
    { title: '居民手中', value: daily(p.outstanding, p.outstanding_as_of), note: p.outstanding_as_of ? `其中冻结 ${pointsText(p.held)}` : '还没有统计' },
    { title: '参与居民', value: q.counted_at ? `${countText(q.self.active_residents)} 人` : '—', note: q.counted_at ? `共 ${countText(q.self.residents)} 人` : '还没有统计' },
    { title: '服务时长', value: q.counted_at ? `${countText(Math.round(q.self.service_minutes / 60))} 小时` : '—', note: correctedText(q.self.corrected_minutes) },
    { title: '事件按时率', value: onTime(c.self), note: `共 ${countText(c.self.reported)} 件` },
    { title: '满意度', value: c.self.rating ? `${c.self.rating.toFixed(1)} 星` : '—', note: `${countText(c.self.rated)} 人评价` },
  ]
}
