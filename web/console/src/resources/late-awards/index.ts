import { answer, api } from '@/api/client'
import { counted, type Resource } from '@/app/resource'

export default {
  name: 'late-awards', title: '待补发积分', group: '积分', roles: ['operator', 'auditor'], order: 45,
  routes: [{ path: 'late-awards', component: () => import('./List.vue') }],
  work: [{ title: '积分等待补发', to: '/late-awards?state=due', roles: ['operator'], count: async () => counted(await answer(api.GET('/exhausted-awards', { params: { query: { state: 'due', limit: 100 } } }))) }],
} satisfies Resource
