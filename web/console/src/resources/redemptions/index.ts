import type { Resource } from '@/app/resource'

export default {
  name: 'redemptions', title: '核销', group: '福利与结算', roles: ['merchant_owner', 'clerk'], order: 29,
  routes: [{ path: 'redemptions', component: () => import('./List.vue') }],
} satisfies Resource
