import type { Resource } from '@/app/resource'

export default {
  name: 'audit', title: '操作留痕', group: '监督', roles: ['operator', 'auditor'], order: 64,
  routes: [{ path: 'audit', component: () => import('./List.vue') }],
} satisfies Resource
