import { answer, api } from '@/api/client'
import { counted, type Resource } from '@/app/resource'

export default {
  name: 'objections', title: '居民异议', group: '积分', roles: ['operator', 'auditor'], order: 44,
  routes: [{ path: 'objections', component: () => import('./List.vue') }, { path: 'objections/:id', component: () => import('./Page.vue') }],
  work: [{ title: '居民异议待答复', to: '/objections?status=open', roles: ['operator'], count: async () => counted(await answer(api.GET('/objections', { params: { query: { status: 'open', limit: 100 } } }))) }],
} satisfies Resource
