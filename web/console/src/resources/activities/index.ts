import { answer, api } from '@/api/client'
import { counted, type Resource } from '@/app/resource'

export default {
  name: 'activities', title: '志愿活动', group: '志愿服务', roles: ['organizer', 'operator', 'auditor'], order: 15,
  routes: [{ path: 'activities', component: () => import('./List.vue') }, { path: 'activities/new', component: () => import('./New.vue'), meta: { page: '新建活动', roles: ['organizer', 'operator'] } }, { path: 'activities/:id', component: () => import('./Page.vue') }, { path: 'activities/:id/shifts/:shift', component: () => import('./Confirm.vue'), meta: { page: '确认服务时长', roles: ['organizer', 'operator'] } }],
  work: [{ title: '活动草稿待发布', to: '/activities?status=draft', roles: ['organizer'], count: async () => counted(await answer(api.GET('/activities', { params: { query: { status: 'draft', limit: 100 } } }))) }],
} satisfies Resource
