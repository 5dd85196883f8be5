import type { Resource } from '@/app/resource'

export default {
  name: 'dashboard', title: '看板', group: '事务', roles: ['operator', 'auditor'], order: 5,
  routes: [{ path: 'dashboard', component: () => import('./Page.vue') }],
} satisfies Resource
