import type { Resource } from '@/app/resource'

export default {
  name: 'four-eyes', title: '两人复核', group: '监督', roles: ['operator', 'auditor'], order: 65,
  routes: [{ path: 'four-eyes', component: () => import('./List.vue') }],
} satisfies Resource
