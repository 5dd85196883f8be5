import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import 'element-plus/theme-chalk/dark/css-vars.css'
import { createApp } from 'vue'
import App from './app/App.vue'
import { router } from './app/router'
import './theme/index.css'

document.documentElement.classList.toggle('dark', localStorage.getItem('jmk.dark') === '1')
const queries = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 10_000 } } })
createApp(App).use(VueQueryPlugin, { queryClient: queries }).use(router).mount('#app')
