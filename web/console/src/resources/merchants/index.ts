import type { Resource } from '@/app/resource'

export default {
  name: 'merchants',
  title: '商户',
  roles: ['operator'],
  order: 10,
  routes: [{ path: 'merchants', component: () => import('./List.vue') }],
} satisfies Resource
