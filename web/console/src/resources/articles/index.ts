import { answer, api } from '@/api/client'
import { counted, type Resource } from '@/app/resource'

export default {
  name: 'articles', title: '播报', group: '事务', roles: ['operator', 'auditor'], order: 12,
  routes: [
    { path: 'articles', component: () => import('./List.vue') },
    { path: 'articles/new', component: () => import('./Edit.vue'), meta: { page: '写播报', roles: ['operator'] } },
    { path: 'articles/:id', component: () => import('./Page.vue') },
    { path: 'articles/:id/edit', component: () => import('./Edit.vue'), meta: { page: '修改播报', roles: ['operator'] } },
  ],
  work: [{ title: '播报草稿待发布', to: '/articles?status=draft', roles: ['operator'], count: async () => counted(await answer(api.GET('/articles', { params: { query: { status: 'draft', limit: 100 } } }))) }],
} satisfies Resource
