import type { Resource } from '@/app/resource'

export default {
  name: 'staff', title: '工作人员', group: '人员与地区', roles: ['operator', 'auditor', 'merchant_owner'], order: 60,
  routes: [
    { path: 'staff', component: () => import('./List.vue') },
    { path: 'staff/new', component: () => import('./New.vue'), meta: { page: '新建工作人员', roles: ['operator', 'merchant_owner'] } },
    { path: 'staff/:id', component: () => import('./Page.vue') },
  ],
} satisfies Resource
