import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { watchCpu } from '../cpu.mjs'
import { RECEIVER } from '../e2e/configuration.mjs'
import { startWaybill } from '../e2e/peers.mjs'
import { digits } from '../e2e/table.mjs'

/**
 * @typedef {{
 *   devices: number, minutes: number, steady: import('./gateway.mjs').Outcome, burst: import('./gateway.mjs').Outcome,
 *   cpuMicroseconds: Record<string, number>  // for each reading of the steady part, by process
 * }} Devices
 */

const BURST_SECONDS = 2
const LONGEST_SECONDS = 120
const WITHIN_SECONDS = 10
const SITUATION = /** @type {const} */ ({ size: '1k', carriage: 'in-band', fanOut: 1, to: 'jid', senders: 1 })
const VARIANT = /** @type {const} */ ({ routes: 100, durability: 'everysec', schema: 'xsd', domains: 1, processes: 1 })
const READINGS = `---
kind: DocumentType
name: reading
identify: { json: { match: { /kind: reading } } }
schema: { json: reading.schema.json }
fields: { celsius: { pointer: /celsius, as: number } }
---
kind: Route
name: readings
owner: bench
when: { type: reading, fields: { celsius: [{ ">=": -40 }] } }
deliver: [{ jid: dest-0@${RECEIVER} }]
`

/**
 * Devices behind one gateway: a component that speaks for all of them, each by its own address. Connections of their own would make
 * the server's logins what is measured: they would stretch the burst, and Waybill sees stanzas alone in either case.
 *
 * @param {{ devices: number, minutes: number }} size
 * @param {any} surroundings
 * @returns {Promise<Devices>}
 */
export async function measureDevices(
  { devices, minutes },
  { startRedis, startXmppServer, processes, kind, seed, closing },
) {
  const redis = await startRedis()
  closing.add(() => redis.stop())
  const server = await startXmppServer(kind)
  closing.add(() => server.stop())
  const situation = { ...SITUATION, server: kind }
  const given = { name: 'waybill', components: ['waybill'], situation, server, redis, processes, more: READINGS }
  const waybill = await startWaybill(VARIANT, given)
  closing.add(() => waybill.stop())
  const gateway = startGateway(closing)
  const ends = { sender: server.component('peer'), receiver: server.component('other') }
  await gateway.ask({ start: { ...ends, target: waybill.domains[0], devices, seed } })
  console.error(`devices: ${devices}, one reading a minute each, ${minutes} minutes`)
  const pids = { waybill: waybill.pids[0] ?? 0, redis: redis.pid, server: server.pid, gateway: gateway.pid }
  const cpuSince = watchCpu(pids)
  const steady = await gateway.ask({ steady: { minutes, longestSeconds: LONGEST_SECONDS } })
  const used = Object.entries(cpuSince())
  console.log(`steady: ${lineOf(steady)}`)
  await server.kill('SIGTERM')
  await server.start()
  const burst = await gateway.ask({ burst: { withinSeconds: BURST_SECONDS, longestSeconds: LONGEST_SECONDS } })
  console.log(`burst after a restart of ${kind}: ${lineOf(burst)}`)
  gateway.stop()
  await waybill.stop()
  await server.stop()
  await redis.stop()
  const cpuMicroseconds = Object.fromEntries(used.map(([name, seconds]) => [name, (seconds * 1e6) / steady.arrived]))
  return { devices, minutes, steady, burst, cpuMicroseconds }
}

/** @param {{ add: (close: () => unknown) => void }} closing */
function startGateway(closing) {
  const file = fileURLToPath(new URL('gateway.mjs', import.meta.url))
  const child = fork(file, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const stop = () => child.kill('SIGKILL')
  closing.add(stop)
  return {
    pid: child.pid ?? 0,
    stop,
    /** @param {object} order @returns {Promise<any>} */
    ask: (order) =>
      new Promise((resolve, reject) => {
        const onExit = () => reject(new Error('Cannot measure: the process of the devices has ended'))
        child.once('exit', onExit)
        child.once('message', (answer) => {
          child.off('exit', onExit)
          const { failed } = /** @type {{ failed?: string }} */ (answer)
          if (failed === undefined) resolve(answer)
          else reject(new Error(failed))
        })
        child.send(order)
      }),
  }
}

/** @param {import('./gateway.mjs').Outcome} outcome */
function lineOf({ readings, acknowledged, refused, arrived, again, lastAcknowledgedMs, p50Ms, p99Ms }) {
  return (
    `${readings} readings, ${acknowledged} acknowledged, ${refused} refused, ${arrived} arrived, ${again} sent again; ` +
    `p50 ${digits(p50Ms, 1)}, p99 ${digits(p99Ms, 1)} ms to the acknowledgement, the last ${digits(lastAcknowledgedMs / 1000, 1)} s after the first was sent`
  )
}

/** @param {Devices | undefined} devices */
export function goalsOfDevices(devices) {
  const lost = devices === undefined ? Number.NaN : lostOf(devices.steady) + lostOf(devices.burst)
  const lastSeconds = devices && isWhole(devices.burst) ? devices.burst.lastAcknowledgedMs / 1000 : Number.NaN
  const name = `${devices?.devices ?? 10_000} devices`
  return [
    { text: `${name}, readings lost: ${digits(lost, 0)}, wanted 0`, met: lost === 0 },
    {
      text: `${name} at once after a restart of the server, seconds until all are acknowledged: ${digits(lastSeconds, 1)}, wanted ${WITHIN_SECONDS} or less`,
      met: lastSeconds <= WITHIN_SECONDS,
    },
  ]
}

/** @param {import('./gateway.mjs').Outcome} outcome */
function lostOf({ readings, arrived }) {
  return readings - arrived
}

/** @param {import('./gateway.mjs').Outcome} outcome */
function isWhole({ readings, acknowledged }) {
  return acknowledged === readings
}
