import { answer, api } from '@/api/client'
import { counted, type Resource } from '@/app/resource'

const by = (status: 'issued' | 'disputed') => async () => counted(await answer(api.GET('/settlement/statements', { params: { query: { status, limit: 100 } } })))

export default {
  name: 'statements',
  title: '结算单',
  group: '福利与结算',
  roles: ['operator', 'auditor', 'merchant_owner'],
  order: 34,
  routes: [{ path: 'statements', component: () => import('./List.vue') }, { path: 'statements/:id', component: () => import('./Page.vue') }],
  work: [
    { title: '结算单等您确认', to: '/statements?status=issued', roles: ['merchant_owner'], count: by('issued') },
    { title: '结算单有异议', to: '/statements?status=disputed', roles: ['operator'], count: by('disputed') },
  ],
} satisfies Resource
