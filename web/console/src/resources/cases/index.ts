import type { Resource } from '@/app/resource'

export default {
  name: 'cases',
  title: '事件',
  roles: ['grid_worker', 'operator'],
  order: 20,
  routes: [{ path: 'cases', component: () => import('./List.vue') }],
} satisfies Resource
