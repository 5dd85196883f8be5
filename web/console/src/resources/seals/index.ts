import type { Resource } from '@/app/resource'

export default {
  name: 'seals', title: '每日封存', group: '管理', roles: ['operator', 'auditor'], order: 66,
  routes: [{ path: 'seals', component: () => import('./List.vue') }],
} satisfies Resource
