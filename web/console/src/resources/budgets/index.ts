import type { Resource } from '@/app/resource'

export default {
  name: 'budgets', title: '积分预算', group: '积分', roles: ['operator', 'auditor'], order: 41,
  routes: [{ path: 'budgets', component: () => import('./List.vue') }, { path: 'budgets/new', component: () => import('./New.vue'), meta: { page: '新建预算', roles: ['operator'] } }],
} satisfies Resource
