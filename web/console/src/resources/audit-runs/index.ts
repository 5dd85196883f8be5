import type { Resource } from '@/app/resource'

export default {
  name: 'audit-runs', title: '全面对账', group: '监督', roles: ['operator', 'auditor'], order: 63,
  routes: [{ path: 'audit-runs', component: () => import('./List.vue') }, { path: 'audit-runs/:id', component: () => import('./Page.vue'), meta: { page: '对账结果' } }],
} satisfies Resource
