import type { Redis } from 'ioredis'
import { type Log, StoreUnavailable } from '../flow/ports.ts'
import { SILENCE_MS } from './connection.ts'
import { type Durability, hasWaitAof, inspectRedis, type RedisInspection } from './inspection.ts'

export interface DurabilityOptions {
  readonly durability: Durability
  /** How many replicas must have it too. */
  readonly replicas: number
  readonly log: Log
}

export interface KeptDurability {
  /** Asked anew. */
  inspect(): Promise<RedisInspection>
  /** Throws {@link StoreUnavailable} where what the connection has written isn't kept as configured. */
  confirm(): Promise<void>
}

// Below the silence after which the connection is given up.
const CONFIRMED_MS = SILENCE_MS - 500

/**
 * What was promised at the start has to hold after a fail-over too (docs/operations.md, guarantee 1): each connection may be to another
 * server, so that each begins with a look at what that one offers.
 *
 * @param first What the server of the present connection offers.
 */
export function keepDurability(
  client: Redis,
  first: RedisInspection,
  { durability, replicas, log }: DurabilityOptions,
): KeptDurability {
  let offered = Promise.resolve(first)
  let told = ''

  function look(): Promise<RedisInspection> {
    offered = inspectRedis(client)
    offered.then(tell, () => {})
    return offered
  }

  function tell(inspection: RedisInspection): void {
    const problems = durabilityProblems(inspection, durability).join('; ')
    if (problems !== '' && problems !== told) log('error', 'durability-not-kept', { problems })
    told = problems
  }

  /** What was wrong may have been mended since, or have been asked at a bad moment. */
  async function present(): Promise<RedisInspection> {
    const known = await offered.catch(() => undefined)
    return known && durabilityProblems(known, durability).length === 0 ? known : look()
  }

  client.on('ready', look)
  return {
    inspect: look,
    async confirm() {
      const inspection = await present()
      const problems = durabilityProblems(inspection, durability)
      if (problems.length > 0) throw new StoreUnavailable(problems.join('; '))
      if (needsWaitAof(inspection, durability)) await waitForFiles(client, replicas)
      else if (replicas > 0) await waitForCopies(client, replicas)
    },
  }
}

export function needsWaitAof({ appendfsync, version }: RedisInspection, durability: Durability): boolean {
  return durability === 'fsync' && appendfsync !== 'always' && hasWaitAof(version)
}

async function waitForFiles(client: Redis, replicas: number): Promise<void> {
  const [local = 0, copies = 0] = (await client.call('WAITAOF', 1, replicas, CONFIRMED_MS)) as number[]
  if (local < 1) throw new StoreUnavailable(`Cannot accept: Redis has not synced its file within ${CONFIRMED_MS} ms`)
  if (copies < replicas) throw new StoreUnavailable(`Cannot accept: ${copies} of ${replicas} replicas have synced`)
}

async function waitForCopies(client: Redis, replicas: number): Promise<void> {
  const copies = await client.wait(replicas, CONFIRMED_MS)
  if (copies < replicas) throw new StoreUnavailable(`Cannot accept: ${copies} of ${replicas} replicas have it`)
}

/**
 * What Redis offers less than is wanted (docs/operations.md, guarantee 1), a sentence for each; none: it is as wanted.
 * What can't be asked is a problem too.
 */
export function durabilityProblems(inspection: RedisInspection, wanted: Durability): readonly string[] {
  return [...memoryProblems(inspection), ...(wanted === 'memory' ? [] : fileProblems(inspection, wanted))]
}

/** What is asked of the present moment only: a replica that comes back is one again, and until then each acceptance says so by itself. */
export function replicaProblems({ replicas }: RedisInspection, wanted: number): readonly string[] {
  if (replicas >= wanted) return []
  return [
    `Cannot promise ${wanted === 1 ? 'a copy' : `${wanted} copies`}: ${replicas} of ${wanted} replicas are attached`,
  ]
}

function memoryProblems({ maxmemoryPolicy }: RedisInspection): string[] {
  if (maxmemoryPolicy === 'noeviction') return []
  const found = maxmemoryPolicy ?? 'not told by Redis'
  return [`Cannot keep documents: maxmemory-policy is ${found}, it must be noeviction`]
}

function fileProblems(inspection: RedisInspection, wanted: 'everysec' | 'fsync'): string[] {
  const problems: string[] = []
  const { appendonly, appendfsync, version } = inspection
  if (appendonly !== 'yes') {
    problems.push(
      `Cannot promise durability ${wanted}: appendonly is ${appendonly ?? 'not told by Redis'}, it must be yes`,
    )
  }
  const waits = wanted === 'everysec' || hasWaitAof(version)
  if (appendfsync !== 'always' && !(waits && appendfsync === 'everysec')) {
    const needed = waits ? 'everysec or always' : `always (Redis ${version} has no WAITAOF)`
    problems.push(
      `Cannot promise durability ${wanted}: appendfsync is ${appendfsync ?? 'not told by Redis'}, it must be ${needed}`,
    )
  }
  return problems
}
