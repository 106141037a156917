import { fileURLToPath } from 'node:url'
import { build } from '../../deploy/setup/packages.mjs'
import { ensurePrograms, PROGRAMS } from '../../deploy/setup/programs.mjs'
import { SERVERS, wordOf } from './e2e/cells.mjs'
import { printGoals } from './e2e/table.mjs'
import { loadServers } from './servers.mjs'
import { goalsOfDevices, measureDevices } from './soak/devices.mjs'
import { goalsOfMemory, measureMemory } from './soak/memory.mjs'
import { measureWaiting } from './soak/waiting.mjs'

/** What shows only after long: memory after a million documents, ten thousand devices that all come back at once, and what waits in Redis. */

const PARTS = /** @type {const} */ (['memory', 'devices', 'waiting'])

export const OPTIONS = /** @type {const} */ ({
  server: { type: 'string', default: 'ejabberd' },
  parts: { type: 'string', default: PARTS.join() },
  documents: { type: 'string' },
  devices: { type: 'string' },
  minutes: { type: 'string' },
})

export const HELP = `  --server NAME    prosody or ejabberd (ejabberd)
  --parts LIST     of memory, devices, waiting: what a document takes in Redis while it waits (all)
  --documents N    whose memory is watched (1000000; 20000 with --quick)
  --devices N      (10000; 1000 with --quick)
  --minutes N      of one reading a minute each (10; 0.1 with --quick)`

/**
 * @param {{ values: Record<string, string | boolean | undefined>, seed: number, quick: boolean, closing: ReturnType<typeof import('./closing.mjs').makeClosing> }} run
 */
export async function run({ values, seed, quick, closing }) {
  const kind = /** @type {typeof SERVERS[number]} */ (wordOf('server', String(values.server), SERVERS))
  const parts = String(values.parts)
    .split(',')
    .map((part) => wordOf('parts', part, PARTS))
  const documents = positive('documents', values.documents, quick ? 20_000 : 1_000_000)
  const devices = positive('devices', values.devices, quick ? 1_000 : 10_000)
  const minutes = positive('minutes', values.minutes, quick ? 0.1 : 10)
  await ensurePrograms([PROGRAMS.redis, PROGRAMS[kind]])
  await build(fileURLToPath(new URL('../..', import.meta.url)))
  const surroundings = { ...(await loadServers()), kind, seed, closing }
  const memory = parts.includes('memory') ? await measureMemory(documents, surroundings) : undefined
  const readings = parts.includes('devices') ? await measureDevices({ devices, minutes }, surroundings) : undefined
  const waiting = parts.includes('waiting') ? await measureWaiting(surroundings) : undefined
  const goals = [...goalsOfMemory(memory), ...goalsOfDevices(readings)]
  if (values.check) printGoals(goals)
  return { server: kind, memory, devices: readings, waiting, goals }
}

/**
 * @param {string} option
 * @param {unknown} text
 * @param {number} otherwise
 */
function positive(option, text, otherwise) {
  if (text === undefined) return otherwise
  if (!(Number(text) > 0)) throw new RangeError(`Cannot read --${option}: "${text}" is no positive number`)
  return Number(text)
}
