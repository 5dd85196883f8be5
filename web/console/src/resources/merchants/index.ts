import { answer, api } from '@/api/client'
import { counted, type Resource } from '@/app/resource'

export default {
  name: 'merchants',
  title: '商户',
  group: '福利与结算',
  roles: ['operator', 'auditor', 'merchant_owner'],
  order: 30,
  routes: [
    { path: 'merchants', component: () => import('./List.vue') },
    { path: 'merchants/new', component: () => import('./Edit.vue'), meta: { page: '新建商户', roles: ['operator'] } },
    { path: 'merchants/:id', component: () => import('./Page.vue') },
    { path: 'merchants/:id/edit', component: () => import('./Edit.vue'), meta: { page: '修改商户', roles: ['operator', 'merchant_owner'] } },
    { path: 'merchants/:id/stores/:store', component: () => import('./StoreEdit.vue'), meta: { page: '门店', roles: ['operator', 'merchant_owner'] } },
  ],
  work: [{ title: '商户待启用', to: '/merchants?status=draft', roles: ['operator'], count: async () => counted(await answer(api.GET('/merchants', { params: { query: { status: 'draft', limit: 100 } } }))) }],
} satisfies Resource
