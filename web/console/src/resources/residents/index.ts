import type { Resource } from '@/app/resource'

export default {
  name: 'residents', title: '居民', group: '人员与地区', roles: ['operator', 'auditor'], order: 50,
  routes: [{ path: 'residents', component: () => import('./List.vue') }, { path: 'residents/:id', component: () => import('./Page.vue') }],
} satisfies Resource
