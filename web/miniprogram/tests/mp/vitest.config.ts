import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['tests/mp/static/**/*.test.ts'],
    environment: 'node',
    testTimeout: 120_000,
    // The compiler starts workers of its own and is a guest on two cores.
    fileParallelism: false,
    pool: 'forks',
    // It also talks about its work.
    onConsoleLog: (log) => !/summer-compiler|serialize mini-weixin|miniprogram-builder|white ?ext ?list/.test(log),
  },
})
