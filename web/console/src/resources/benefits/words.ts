import type { State } from '@/app/resource'

export const states: Record<string, State> = {
  draft: { title: '草稿', tone: 'idle' }, pending_review: { title: '待审核', tone: 'wait' }, published: { title: '已上架', tone: 'good' },
  rejected: { title: '已退回', tone: 'bad' }, paused: { title: '已暂停', tone: 'wait' }, ended: { title: '已下架', tone: 'idle' },
}
