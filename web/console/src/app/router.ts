import { createRouter, createWebHistory } from 'vue-router'
import { grant, load } from '@/session/session'
import type { Role } from './resource'
import { allowed, resources } from './resources'

const pages = resources.flatMap((r) => r.routes.map((route) => ({ ...route, meta: { title: r.title, ...route.meta, roles: r.roles } })))

export const router = createRouter({
  history: createWebHistory(import.meta.env.BASE_URL),
  routes: [
    { path: '/login', component: () => import('@/pages/LoginPage.vue'), meta: { open: true } },
    {
      path: '/',
      component: () => import('./AppFrame.vue'),
      children: [
        { path: '', component: () => import('@/pages/StartPage.vue'), meta: { title: '首页' } },
        ...pages,
        { path: '403', component: () => import('@/pages/RefusedPage.vue'), meta: { title: '无权查看' } },
        { path: ':rest(.*)*', component: () => import('@/pages/MissingPage.vue'), meta: { title: '找不到页面' } },
      ],
    },
  ],
})

router.beforeEach(async (to) => {
  if (to.meta.open) return true
  if (!(await load())) return { path: '/login', query: { to: to.fullPath } }
  const roles = to.meta.roles as Role[] | undefined
  return !roles || allowed({ roles }, grant.value?.role) || { path: '/403', query: { from: to.fullPath } }
})
