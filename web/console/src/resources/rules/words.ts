import type { Schemas } from '@/api/client'
import type { Option, State } from '@/app/resource'

export const events: Record<string, string> = { volunteer_service: '志愿服务', article_read: '阅读播报', daily_sign_in: '每日签到', report_verified: '上报属实' }
export const eventOptions: Option[] = Object.entries(events).map(([value, title]) => ({ value, title }))
export const stateOf = (r: Schemas['RuleDTO']): State => r.retired_at ? { title: '已停用', tone: 'idle' } : new Date(r.active_from) > new Date() ? { title: '待生效', tone: 'wait' } : r.superseded ? { title: '有新版', tone: 'idle' } : { title: '生效', tone: 'good' }

/** A rule as residents hear it. */
export const amountText = (r: { points: number; per_minutes?: number; max_points: number }) => (r.per_minutes ? `每 ${r.per_minutes} 分钟 ${r.points} 分，最多 ${r.max_points} 分` : `${r.points} 分`)
