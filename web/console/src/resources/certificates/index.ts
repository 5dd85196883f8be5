import { answer, api } from '@/api/client'
import { counted, type Resource } from '@/app/resource'

export default {
  name: 'certificates', title: '服务证明', group: '志愿服务', roles: ['organizer', 'operator', 'auditor'], order: 19,
  routes: [
    { path: 'certificates', component: () => import('./List.vue') },
    { path: 'certificates/:id', component: () => import('./Page.vue') },
    { path: 'certificates/:id/issue', component: () => import('./Issue.vue'), meta: { page: '出具证明', roles: ['organizer', 'operator'] } },
  ],
  work: [{ title: '服务证明待出具', to: '/certificates?state=requested', roles: ['organizer', 'operator'], count: async () => counted(await answer(api.GET('/certificates', { params: { query: { state: 'requested', limit: 100 } } }))) }],
} satisfies Resource
