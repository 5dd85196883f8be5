import { answer, api } from '@/api/client'
import type { Resource } from '@/app/resource'

export default {
  name: 'jobs', title: '定时任务', group: '系统', roles: ['operator', 'auditor'], order: 67,
  routes: [{ path: 'jobs', component: () => import('./List.vue') }, { path: 'jobs/:name', component: () => import('./Runs.vue'), meta: { page: '运行历史' } }],
  work: [{ title: '任务迟到或失败', to: '/jobs', roles: ['operator', 'auditor'], count: async () => ({ count: (await answer(api.GET('/insight/jobs'))).items?.length ?? 0 }) }],
} satisfies Resource
