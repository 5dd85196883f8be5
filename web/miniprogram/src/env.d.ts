/// <reference types="vite/client" />

declare module '*.vue' {
  import type { DefineComponent } from 'vue'
  const component: DefineComponent<Record<string, unknown>, Record<string, unknown>, unknown>
  export default component
}

interface ImportMetaEnv {
  /** Origin of the API, such as https://jmk.example.gov.cn. Empty in H5 (same origin); needed for mp-weixin. */
  readonly VITE_API_ORIGIN?: string
  /** Version of WeChat's plugin 同声传译 for voice input in mp-weixin; without one there is no voice input. */
  readonly VITE_WECHAT_SI_VERSION?: string
}
