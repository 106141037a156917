import { fileURLToPath } from 'node:url'
// The servers' starters are TypeScript; vite comes with vitest and runs them as they are.
import { runnerImport } from 'vite'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** @param {string} file within the project */
async function load(file) {
  const { module } = await runnerImport(`${root}${file}`, { root, configFile: false, logLevel: 'silent' })
  return module
}

/**
 * The very servers that the tests start: Redis with `deploy/redis.conf` (append-only file, fsync every second, no eviction), Prosody
 * and ejabberd with the files of `deploy/`. What they start ends with this process, even where it is killed.
 */
export async function loadServers() {
  const { startRedis } = /** @type {typeof import('../servers/redis.ts')} */ (await load('test/servers/redis.ts'))
  const { startXmppServer } = /** @type {typeof import('../servers/xmpp.ts')} */ (await load('test/servers/xmpp.ts'))
  const processes = /** @type {typeof import('../servers/processes.ts')} */ (await load('test/servers/processes.ts'))
  return { startRedis, startXmppServer, processes }
}
