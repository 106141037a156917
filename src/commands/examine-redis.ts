import type { Settings } from '../config/configuration.ts'
import { describeOpen } from '../domain/breaker.ts'
import { leftDomains } from '../left-domains.ts'
import { createLog } from '../log.ts'
import { durabilityProblems, replicaProblems } from '../redis/durability.ts'
import type { OperatorsStore } from '../redis/joined.ts'
import type { RedisStore } from '../redis/store.ts'
import { withStore } from './with-store.ts'

/** A row of `waybill doctor`. */
export interface Examination {
  readonly part: string
  /** `limited`: it works, and less of it than could be. */
  readonly verdict: 'fine' | 'limited' | 'wrong' | 'not asked'
  readonly detail: string
}

const CLOCK_SKEW_MS = 1_000
const silent = createLog(() => {}, 'error')

/** Whether Redis is as it must be, for each domain, since a Cluster has them on different nodes; and what is told there. */
export async function examineRedis(settings: Settings): Promise<readonly Examination[]> {
  try {
    return await withStore(settings, async (store, byDomain) => {
      const servers: Examination[] = []
      for (const [domain, one] of byDomain) {
        servers.push(...ofDomains([...byDomain.keys()], domain, await examineServer(one, settings.redis)))
      }
      return [
        ...servers,
        await examineWrites(store),
        ...(await examineDestinations(store)),
        await examineHeld(store),
        ...(await examineLeft(settings, store)),
        ...(await examineProcesses(store)),
      ]
    })
  } catch (error) {
    return [{ part: 'redis', verdict: 'wrong', detail: (error as Error).message }]
  }
}

/** Where there are several domains, each row says of which it is. */
export function ofDomains(
  domains: readonly string[],
  domain: string,
  found: readonly Examination[],
): readonly Examination[] {
  return domains.length === 1 ? found : found.map((one) => ({ ...one, part: `${one.part} of ${domain}` }))
}

async function examineServer(
  store: RedisStore,
  { durability, replicas }: Settings['redis'],
): Promise<readonly Examination[]> {
  const seen = await store.inspect()
  const wrong = [...durabilityProblems(seen, durability), ...replicaProblems(seen, replicas)]
  const skew = Math.abs(seen.clockSkewMs)
  return [
    { part: 'redis', verdict: 'fine', detail: `version ${seen.version}, ${Math.round(seen.usedMemory / 1e6)} MB used` },
    {
      part: 'durability',
      verdict: wrong.length > 0 ? 'wrong' : 'fine',
      detail: wrong.join('; ') || `${durability}, ${seen.maxmemoryPolicy}`,
    },
    {
      part: 'clock',
      verdict: skew > CLOCK_SKEW_MS ? 'wrong' : 'fine',
      detail: `${skew} ms from the clock of Redis`,
    },
  ]
}

/** What waits for a domain that is served no more is delivered by nobody, and in no list. */
async function examineLeft(settings: Settings, store: OperatorsStore): Promise<readonly Examination[]> {
  const left = await leftDomains(settings, store.served, silent)
  return left.map(({ domain, waiting, held, dead }) => {
    const cure = 'put it back until they have ended'
    const detail = `not in xmpp.domains any more, but has documents: ${waiting} waiting, ${held} held, ${dead} dead; ${cure}`
    return { part: `domain ${domain}`, verdict: 'limited', detail }
  })
}

/** Those that run on this installation, and whether they all route by the same. */
async function examineProcesses(store: OperatorsStore): Promise<readonly Examination[]> {
  const processes = await store.presence.living()
  const isOne = new Set(processes.map(({ inForce }) => inForce)).size <= 1
  return processes.map(({ instance, holds, inForce }) => {
    const detail = `holds ${holds.join(', ') || 'no domain'}; configuration ${inForce} is in force`
    return { part: `process ${instance}`, verdict: isOne ? 'fine' : 'limited', detail }
  })
}

/** Those that keep failing, as the process that holds the domain has found. */
async function examineDestinations(store: OperatorsStore): Promise<readonly Examination[]> {
  const open = await store.openDestinations()
  if (open.length === 0) return [{ part: 'destinations', verdict: 'fine', detail: 'none keeps failing' }]
  return open.map(({ destination, breaker, waiting }) => {
    const state = breaker ? describeOpen(breaker) : 'answers again: what waited for it goes on'
    return { part: `destination ${destination}`, verdict: 'limited', detail: `${state}; ${waiting} waiting` }
  })
}

/** Nothing becomes of what is held until somebody looks at it, or a configuration accepts it. */
async function examineHeld(store: OperatorsStore): Promise<Examination> {
  const { held } = await store.depth()
  const detail = held === 0 ? 'none' : `${held} held as invalid: waybill held shows them`
  return { part: 'held documents', verdict: held === 0 ? 'fine' : 'limited', detail }
}

/** A Redis that answers may still take no documents: no memory, no disk, a replica only. */
async function examineWrites(store: OperatorsStore): Promise<Examination> {
  const detail = await store.probeWrites().then(
    () => '',
    (error: Error) => error.message,
  )
  return { part: 'writes', verdict: detail === '' ? 'fine' : 'wrong', detail: detail || 'Redis takes documents' }
}
