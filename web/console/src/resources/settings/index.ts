import type { Resource } from '@/app/resource'

export default {
  name: 'settings', title: '系统设置', group: '系统', roles: ['operator', 'auditor'], order: 68,
  routes: [{ path: 'settings', component: () => import('./Page.vue') }],
} satisfies Resource
