import { answer, api } from '@/api/client'
import { counted, type Resource } from '@/app/resource'

const keepers = { roles: ['organizer', 'operator'] }
export default {
  name: 'service-records', title: '服务记录', group: '志愿服务', roles: ['organizer', 'operator', 'auditor'], order: 17,
  routes: [
    { path: 'service-records', component: () => import('./List.vue') },
    { path: 'service-records/new', component: () => import('./New.vue'), meta: { page: '补录', ...keepers } },
    { path: 'service-records/:id', component: () => import('./Page.vue') },
    { path: 'service-records/:id/correct', component: () => import('./Correct.vue'), meta: { page: '提议更正', ...keepers } },
  ],
  work: [{ title: '服务记录待审批', to: '/service-records?state=pending_approval', roles: ['organizer', 'operator'], count: async () => counted(await answer(api.GET('/service-records', { params: { query: { state: 'pending_approval', limit: 100 } } }))) }],
} satisfies Resource
