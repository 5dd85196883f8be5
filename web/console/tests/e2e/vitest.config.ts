import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  resolve: { alias: { '@': fileURLToPath(new URL('../../src', import.meta.url)) } },
  test: {
    include: ['tests/e2e/**/*.test.ts'],
    environment: 'node',
    testTimeout: 300_000, // a role walks through a dozen pages, each looked at by axe
    hookTimeout: 60_000,
    retry: 1, // a browser that stalls once is no fault of ours: what fails twice is, and vitest names what it ran again
    fileParallelism: false, // one server, one county
  },
})
