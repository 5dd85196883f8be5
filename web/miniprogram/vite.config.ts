import { execSync } from 'node:child_process'
import { defineConfig, type Plugin } from 'vite'
import uniPlugin from '@dcloudio/vite-plugin-uni'

// The package is CommonJS: under "type": "module" its default export is one level down.
const uni = ((uniPlugin as unknown as { default?: typeof uniPlugin }).default ?? uniPlugin) as () => Plugin[]

// apiTypes makes src/api/*.d.ts anew, so that types can never lag behind the committed OpenAPI files.
const apiTypes = (): Plugin => ({
  name: 'api-types',
  buildStart() {
    if (!this.meta.watchMode) execSync('npm run --silent types', { stdio: 'pipe' })
  },
})

// virtualHosts takes away the element that WeChat puts around every component: with it in between, a component's class and
// its place in a flex box or grid would go to that element, and pages would look otherwise than in browsers.
const virtualHosts = (): Plugin => ({
  name: 'virtual-hosts',
  enforce: 'pre',
  transform(code, id) {
    if (process.env.UNI_PLATFORM !== 'mp-weixin' || !/\/src\/.*\/[A-Z]\w*\.vue$/.test(id)) return
    return `${code}\n<script lang="ts">\nexport default { options: { virtualHost: true } }\n</script>\n`
  },
})

// noCdn drops the one address of an outside host: uni-h5's base CSS draws page-head shadows from cdn.dcloud.net.cn.
const noCdn = (): Plugin => ({
  name: 'no-cdn',
  enforce: 'post',
  generateBundle(_, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type !== 'asset' || !file.fileName.endsWith('.css')) continue
      file.source = String(file.source).replace(/url\(["']?https:\/\/cdn\.dcloud\.net\.cn[^)]*\)/g, 'none')
    }
  },
})

// WeChat lets a mini-program ask only servers that it names in full: a build without one would be of no use to anybody.
if (process.env.UNI_PLATFORM === 'mp-weixin' && !process.env.VITE_API_ORIGIN) {
  throw new Error('name the server: VITE_API_ORIGIN=https://… npm run build:mp')
}

// speechPlugin declares WeChat's plugin for voice input, where the build names its version (docs/adr/0013-voice-input.md).
const speechPlugin = (): Plugin => ({
  name: 'speech-plugin',
  enforce: 'post',
  generateBundle(_, bundle) {
    const version = process.env.VITE_WECHAT_SI_VERSION
    const app = bundle['app.json']
    if (!version || app?.type !== 'asset') return
    app.source = JSON.stringify({ ...JSON.parse(String(app.source)), plugins: { WechatSI: { version, provider: 'wx069ba97219f66d99' } } }, null, 2)
  },
})

const server = process.env.JMK_TEST_URL ?? 'http://127.0.0.1:8080'

export default defineConfig({
  base: '/',
  plugins: [apiTypes(), virtualHosts(), ...uni(), noCdn(), speechPlugin()],
  css: {
    preprocessorOptions: {
      scss: { additionalData: '@import "nutui-uniapp/styles/variables.scss";' },
    },
  },
  server: { host: '127.0.0.1', proxy: { '/mp': server, '/api': server } },
})
