import type { State } from '@/app/resource'

/** Check-in opens so many milliseconds before a shift: from then on there may be somebody to confirm. */
export const doorsOpen = 30 * 60_000

export const states: Record<string, State> = { draft: { title: '草稿', tone: 'wait' }, published: { title: '已发布', tone: 'good' }, cancelled: { title: '已取消', tone: 'bad' }, finished: { title: '已结束', tone: 'idle' } }
export const categories: Record<string, string> = { community: '社区服务', elderly: '为老服务', children: '关爱儿童', disabled: '助残', environment: '环境保护', safety: '平安巡逻', culture: '文化', sports: '体育', health: '健康', education: '教育', rescue: '应急救援', event: '大型活动', mediation: '调解', other: '其他' }
export const signups: Record<string, State> = { signed_up: { title: '已报名', tone: 'busy' }, cancelled: { title: '已取消', tone: 'idle' }, attended: { title: '已参加', tone: 'good' }, absent: { title: '缺席', tone: 'bad' } }
