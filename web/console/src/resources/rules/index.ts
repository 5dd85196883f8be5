import type { Resource } from '@/app/resource'

export default {
  name: 'rules', title: '积分规则', group: '积分', roles: ['operator', 'auditor'], order: 42,
  routes: [
    { path: 'rules', component: () => import('./List.vue') },
    { path: 'rules/new', component: () => import('./New.vue'), meta: { page: '发布新版本', roles: ['operator'] } },
  ],
} satisfies Resource
