import { VueQueryPlugin } from '@tanstack/vue-query'
import 'element-plus/theme-chalk/dark/css-vars.css'
import 'element-plus/es/components/message/style/css'
import 'element-plus/es/components/message-box/style/css'
import { createApp } from 'vue'
import { queries } from './api/queries'
import App from './app/App.vue'
import { router } from './app/router'
import './theme/index.css'

document.documentElement.classList.toggle('dark', localStorage.getItem('jmk.dark') === '1')
createApp(App).use(VueQueryPlugin, { queryClient: queries }).use(router).mount('#app')
