import { ref } from 'vue'
import { createRouter, createWebHistory } from 'vue-router'
import { asProblem, type Problem } from '@/api/problem'
import { grant, load, staff } from '@/session/session'
import type { Role } from './resource'
import { allowed, resources } from './resources'

const pages = resources.flatMap((r) => r.routes.map((route) => ({ ...route, meta: { title: r.title, resource: r.name, ...route.meta, roles: (route.meta?.roles as Role[] | undefined) ?? r.roles } })))

/** Set when nothing can be shown at all: the server did not answer, or a page's code did not arrive. */
export const trouble = ref<Problem | null>(null)

export const router = createRouter({
  history: createWebHistory(import.meta.env.BASE_URL),
  routes: [
    { path: '/login', component: () => import('@/pages/LoginPage.vue'), meta: { open: true, title: '登录' } },
    {
      path: '/',
      component: () => import('./AppFrame.vue'),
      children: [
        { path: '', component: () => import('@/pages/StartPage.vue'), meta: { title: '首页' } },
        { path: 'messages', component: () => import('@/pages/MessagesPage.vue'), meta: { title: '消息' } },
        { path: 'security', component: () => import('@/pages/SecurityPage.vue'), meta: { title: '账号安全' } },
        { path: 'exports', component: () => import('@/pages/ExportsPage.vue'), meta: { title: '我的导出' } },
        ...pages,
        { path: '403', component: () => import('@/pages/RefusedPage.vue'), meta: { title: '无权查看' } },
        { path: ':rest(.*)*', component: () => import('@/pages/MissingPage.vue'), meta: { title: '找不到页面' } },
      ],
    },
  ],
})

router.beforeEach(async (to) => {
  trouble.value = null
  if (to.meta.open) return true
  try {
    if (!(await load())) return { path: '/login', query: { to: to.fullPath } }
  } catch (err) {
    trouble.value = asProblem(err)
    return false
  }
  // The server refuses everything else until the second step is set up.
  if (staff.value?.must_enrol && to.path !== '/security') return '/security'
  const roles = to.meta.roles as Role[] | undefined
  return !roles || allowed({ roles }, grant.value?.role) || { path: '/403', query: { from: to.fullPath } }
})
router.afterEach((to) => {
  document.title = `${String(to.meta.title ?? '')} · 家门口工作台`
})
router.onError((err) => {
  trouble.value = asProblem(err)
})
