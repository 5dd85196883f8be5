import { answer, api } from '@/api/client'
import { counted, type Resource } from '@/app/resource'

const waiting = async (state: 'asked' | 'proposed') => counted(await answer(api.GET('/corrections', { params: { query: { state, limit: 100 } } })))
export default {
  name: 'corrections', title: '记录更正', group: '志愿服务', roles: ['organizer', 'operator', 'auditor'], order: 18,
  routes: [{ path: 'corrections', component: () => import('./List.vue') }, { path: 'corrections/:id', component: () => import('./Page.vue') }],
  work: [
    { title: '志愿者申请更正', to: '/corrections?state=asked', roles: ['organizer', 'operator'], count: () => waiting('asked') },
    { title: '更正等待审批', to: '/corrections?state=proposed', roles: ['organizer', 'operator'], count: () => waiting('proposed') },
  ],
} satisfies Resource
