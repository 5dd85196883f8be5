import type { Resource } from '@/app/resource'

export default {
  name: 'seals', title: '每日封存', group: '监督', roles: ['operator', 'auditor'], order: 66,
  routes: [{ path: 'seals', component: () => import('./List.vue') }],
} satisfies Resource
