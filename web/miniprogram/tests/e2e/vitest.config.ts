import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['tests/e2e/**/*.test.ts', 'tests/mp/e2e/**/*.test.ts'],
    environment: 'node',
    testTimeout: 90_000,
    hookTimeout: 60_000,
    retry: 1, // a browser that stalls once is no fault of ours: what fails twice is, and vitest names what it ran again
    fileParallelism: false, // one server, one county: files that order and redeem must not meet
  },
})
