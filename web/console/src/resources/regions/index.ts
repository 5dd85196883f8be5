import type { Resource } from '@/app/resource'

export default {
  name: 'regions', title: '地区', group: '人员与地区', roles: ['operator', 'auditor'], order: 52,
  routes: [
    { path: 'regions', component: () => import('./Page.vue') },
    { path: 'regions/import', component: () => import('./Import.vue'), meta: { page: '导入地区', roles: ['operator'] } },
  ],
} satisfies Resource
