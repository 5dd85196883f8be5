import { createSSRApp } from 'vue'
import App from './App.vue'
// #ifdef H5
import LostPage from './components/LostPage.vue'
// #endif

export function createApp() {
  const app = createSSRApp(App)
  // #ifdef H5
  app.component('AsyncError', LostPage) // uni-app asks for it by this name
  // #endif
  return { app }
}
