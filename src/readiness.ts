import type { Settings } from './config/configuration.ts'
import { describeOpen } from './domain/breaker.ts'
import type { Deliverer } from './flow/deliver.ts'
import type { Readiness } from './http/server.ts'
import { durabilityProblems, replicaProblems } from './redis/durability.ts'
import type { RedisStore } from './redis/store.ts'
import type { Shares } from './shares.ts'
import type { Station } from './station.ts'

/** So many open destinations are named. */
const OPEN_SHOWN_MOST = 20

/**
 * Where several domains are served, each part of one says which. A domain that another process holds, or is about to have from us, is only
 * vital where we hold none.
 */
export async function readinessOf(
  { stations, handedOver }: Pick<Shares, 'stations' | 'handedOver'>,
  settings: Settings,
): Promise<readonly Readiness[]> {
  const isOne = stations.length === 1
  const holdsAny = stations.some(({ lease }) => lease.held)
  const parts = await Promise.all(
    stations.map(async (station) => {
      const isHandedOver = handedOver.has(station.domain)
      const isElsewhere = holdsAny && (isHandedOver || station.lease.other !== undefined)
      const found = await stationReadiness(station, settings, isElsewhere, isHandedOver)
      return isOne ? found : found.map((one) => ({ ...one, part: `${one.part} of ${station.domain}` }))
    }),
  )
  return parts.flat()
}

async function stationReadiness(
  station: Station,
  { redis }: Settings,
  isElsewhere: boolean,
  isHandedOver: boolean,
): Promise<readonly Readiness[]> {
  const { connection, store, subscriptions, deliverer } = station
  const reason = connection.online ? '' : detachedBecause(station, isHandedOver)
  const xmpp = { part: 'xmpp', ready: connection.online, reason, ...(isElsewhere && { vital: false }) }
  if (isElsewhere) return [xmpp]
  const asked = await store.probeWrites().then(
    () => '',
    (error: Error) => error.message,
  )
  return [
    xmpp,
    { part: 'redis', ready: asked === '', reason: asked },
    ...(await durabilityReadiness(store, redis)),
    ...subscriptions.states().map(({ name, confirmed, reason }) => {
      return { part: `subscription ${name}`, ready: confirmed, reason, vital: false }
    }),
    ...openReadiness(deliverer.open),
    ...(await heldReadiness(store)),
  ]
}

/** After a fail-over it is another Redis than the one that was looked at before the start. */
async function durabilityReadiness(
  store: RedisStore,
  { durability, replicas }: Settings['redis'],
): Promise<readonly Readiness[]> {
  const seen = await store.inspect().catch(() => undefined)
  if (!seen) return []
  const problems = [...durabilityProblems(seen, durability), ...replicaProblems(seen, replicas)]
  return [{ part: 'durability', ready: problems.length === 0, reason: problems.join('; ') }]
}

/** Nothing becomes of what is held until somebody looks at it, or a configuration accepts it. */
async function heldReadiness(store: RedisStore): Promise<readonly Readiness[]> {
  const { held } = await store.depth().catch(() => ({ held: 0 }))
  if (held === 0) return []
  return [{ part: 'held documents', ready: false, reason: `${held} are held as invalid: waybill held`, vital: false }]
}

function openReadiness(open: Deliverer['open']): readonly Readiness[] {
  const shown = [...open].slice(0, OPEN_SHOWN_MOST)
  const parts = shown.map(([destination, breaker]) => {
    return { part: `destination ${destination}`, ready: false, reason: describeOpen(breaker), vital: false }
  })
  const more = open.size - shown.length
  const rest = { part: 'destinations', ready: false, reason: `${more} more are open`, vital: false }
  return more > 0 ? [...parts, rest] : parts
}

function detachedBecause({ domain, lease }: Station, isHandedOver: boolean): string {
  if (lease.other) return `standby: ${lease.other.instance} holds ${domain}`
  if (isHandedOver) return `standby: ${domain} was handed over`
  return lease.held
    ? 'not attached to the XMPP server'
    : `not attached: Redis could not be asked in time who holds ${domain}`
}
