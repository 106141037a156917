import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const MEMORY_MB = 12_000

/**
 * One order to a process of its own, and its one answer.
 *
 * @param {URL} file
 * @param {unknown} order
 * @param {{ add: (close: () => unknown) => void }} closing
 * @param {number} longestMs
 * @returns {Promise<any>} `{ failed }` where it has none to give
 */
export function inProcess(file, order, closing, longestMs) {
  if (longestMs <= 0) return Promise.resolve({ failed: 'no time was left for it' })
  const child = fork(fileURLToPath(file), { execArgv: ['--expose-gc', `--max-old-space-size=${MEMORY_MB}`] })
  closing.add(() => child.kill())
  return new Promise((resolve) => {
    const timer = setTimeout(() => end({ failed: `it has taken ${Math.round(longestMs / 1000)} s` }), longestMs)
    const end = (/** @type {unknown} */ answer) => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      resolve(answer)
    }
    child.once('message', end)
    child.once('exit', (code, signal) => end({ failed: `the process ended with ${signal ?? code}` }))
    child.send(/** @type {any} */ (order))
  })
}
