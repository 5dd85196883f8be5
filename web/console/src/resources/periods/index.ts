import type { Resource } from '@/app/resource'

export default {
  name: 'periods', title: '结算期', group: '福利与结算', roles: ['operator', 'auditor'], order: 33,
  routes: [{ path: 'periods', component: () => import('./List.vue') }],
} satisfies Resource
