import { existsSync } from 'node:fs'
import { configDefaults, defineConfig } from 'vitest/config'
import { LongestFirst } from './test/longest-first.ts'

/**
 * They measure the memory of their process, where what others have made and let go of would hide what is not let go of; or ids, which go on
 * from the latest time that anybody in the process has asked for.
 */
const ALONE = [
  'test/flow/ids.test.ts',
  'test/documents/memory.test.ts',
  'test/documents/schematron/reload.test.ts',
  'test/documents/white-space.test.ts',
]
const missing = ALONE.find((file) => !existsSync(new URL(file, import.meta.url)))
if (missing !== undefined) throw new Error(`Cannot run ${missing} in a process of its own: there is no such file`)

export default defineConfig({
  test: {
    setupFiles: ['test/each-file.ts'],
    // Real servers start in a few seconds each, and in many where a small machine does other things as well.
    testTimeout: 180_000,
    hookTimeout: 300_000,
    pool: 'forks',
    // More than the processors of a small machine: most of the time is spent waiting for servers, leases and pauses.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...ALONE],
          // A process of its own for each file would spend a quarter of the whole run on loading the same modules again.
          isolate: false,
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE } },
    ],
  },
})
