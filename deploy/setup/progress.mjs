/** Progress of what takes long: a line when a step starts, a sign of life every ten seconds, the time that it took. */

const HEARTBEAT_MS = 10_000

/**
 * Runs `action` between two lines on standard error, so that standard output stays free for results.
 *
 * @template T
 * @param {string} title what happens, as a phrase: "installing npm packages"
 * @param {() => T | Promise<T>} action
 * @returns {Promise<T>}
 */
export async function step(title, action) {
  const startedAt = performance.now()
  const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(1)
  say(`${title} ...`)
  const heartbeat = setInterval(() => say(`${title}: ${seconds()} s so far`), HEARTBEAT_MS)
  try {
    const result = await action()
    say(`${title}: done in ${seconds()} s`)
    return result
  } finally {
    clearInterval(heartbeat)
  }
}

/** @param {string} line */
export function say(line) {
  process.stderr.write(`${line}\n`)
}
