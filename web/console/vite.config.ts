import vue from '@vitejs/plugin-vue'
import { fileURLToPath } from 'node:url'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import Components from 'unplugin-vue-components/vite'
import { defineConfig } from 'vite'

const server = process.env.JMK_API_URL ?? 'http://127.0.0.1:8080'
// Covers and recordings lie below /mp.
const proxy = { '/api': server, '/mp': server }

export default defineConfig({
  base: '/console/',
  // Shared pieces are imported by name; only Element Plus is resolved by itself.
  plugins: [vue(), Components({ dirs: [], dts: 'components.d.ts', resolvers: [ElementPlusResolver()] })],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: { proxy },
  preview: { proxy },
  build: { manifest: true },
})
