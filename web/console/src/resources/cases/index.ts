import { answer, api } from '@/api/client'
import type { Resource } from '@/app/resource'
import { isWaiting } from './words'

export default {
  name: 'cases',
  title: '事件',
  group: '事务',
  roles: ['grid_worker', 'operator', 'auditor'],
  order: 10,
  routes: [
    { path: 'cases', component: () => import('./Board.vue') },
    { path: 'cases/list', component: () => import('./List.vue'), meta: { page: '全部事件' } },
    { path: 'cases/:id', component: () => import('./Page.vue') },
  ],
  work: [
    {
      title: '事件等待办理', to: '/cases', roles: ['grid_worker', 'operator'],
      count: async () => ({ count: ((await answer(api.GET('/case-counts'))).items ?? []).filter((c) => isWaiting(c.status)).reduce((n, c) => n + c.cases, 0) }),
    },
    {
      title: '事件已超时', to: '/cases/list?overdue=true', roles: ['grid_worker', 'operator', 'auditor'],
      count: async () => ({ count: ((await answer(api.GET('/case-counts'))).items ?? []).reduce((n, c) => n + c.overdue, 0) }),
    },
  ],
} satisfies Resource
