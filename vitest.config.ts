import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/longest-first.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real servers start in a few seconds each, and in many where a small machine does other things as well.
    testTimeout: 180_000,
    hookTimeout: 300_000,
    pool: 'forks',
    // More than the processors of a small machine: most of the time is spent waiting for servers, leases and pauses.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
  },
})
