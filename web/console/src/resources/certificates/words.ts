import type { State } from '@/app/resource'

export const states: Record<string, State> = { requested: { title: '待出具', tone: 'wait' }, issued: { title: '已出具', tone: 'good' }, refused: { title: '不予出具', tone: 'bad' }, withdrawn: { title: '已撤回', tone: 'idle' }, revoked: { title: '已撤销', tone: 'bad' } }
export const hoursText = (minutes: number) => [Math.floor(minutes / 60) && `${Math.floor(minutes / 60)} 小时`, minutes % 60 && `${minutes % 60} 分钟`].filter(Boolean).join(' ') || '0 分钟'
