import type { Resource } from '@/app/resource'

export default {
  name: 'shifts', title: '班次日历', group: '志愿服务', roles: ['organizer', 'operator', 'auditor'], order: 16,
  routes: [{ path: 'shifts', component: () => import('./Calendar.vue') }],
} satisfies Resource
