import type { Resource } from '@/app/resource'

export default {
  name: 'orders', title: '兑换单', group: '福利与结算', roles: ['operator', 'auditor', 'merchant_owner', 'clerk'], order: 32,
  routes: [{ path: 'orders', component: () => import('./OrderTable.vue'), props: { name: 'orders' } }, { path: 'orders/:id', component: () => import('./Page.vue') }],
} satisfies Resource
