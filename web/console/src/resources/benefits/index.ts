import { answer, api } from '@/api/client'
import { counted, type Resource } from '@/app/resource'

export default {
  name: 'benefits',
  title: '福利',
  group: '福利与结算',
  roles: ['operator', 'auditor', 'merchant_owner', 'clerk'],
  order: 31,
  routes: [
    { path: 'benefits', component: () => import('./List.vue') },
    { path: 'benefits/new', component: () => import('./Edit.vue'), meta: { page: '新建福利', roles: ['merchant_owner'] } },
    { path: 'benefits/:id', component: () => import('./Page.vue') },
    { path: 'benefits/:id/edit', component: () => import('./Edit.vue'), meta: { page: '修改福利', roles: ['merchant_owner', 'operator'] } },
  ],
  work: [{ title: '福利等待审核', to: '/benefits?status=pending_review', roles: ['operator'], count: async () => counted(await answer(api.GET('/benefits', { params: { query: { status: 'pending_review', limit: 100 } } }))) }],
} satisfies Resource
