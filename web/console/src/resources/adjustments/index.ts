import { answer, api } from '@/api/client'
import { counted, type Resource } from '@/app/resource'

export default {
  name: 'adjustments', title: '调账', group: '积分', roles: ['operator', 'auditor'], order: 43,
  routes: [{ path: 'adjustments', component: () => import('./List.vue') }, { path: 'adjustments/new', component: () => import('./New.vue'), meta: { page: '提交调账', roles: ['operator'] } }, { path: 'adjustments/:id', component: () => import('./Page.vue') }],
  work: [{ title: '调账等待审批', to: '/adjustments?status=proposed', roles: ['operator'], count: async () => counted(await answer(api.GET('/adjustments', { params: { query: { status: 'proposed', limit: 100 } } }))) }],
} satisfies Resource
