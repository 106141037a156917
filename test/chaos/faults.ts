import { eventually } from '../eventually.ts'
import { seededRandom } from '../redis/model.ts'
import type { RunClock } from './clock.ts'
import type { Installation } from './installation.ts'
import type { Fate } from './link.ts'
import type { Reader } from './nodes.ts'
import type { Receivers } from './receivers.ts'
import { FAULTS, type FaultKind, type PlannedFault } from './schedule.ts'
import type { Senders } from './senders.ts'
import { FRESH_NODES, freshNode, REFUSING_NODES } from './ways.ts'

/** What the faults act on. */
export interface Scene {
  readonly installation: Installation
  readonly receivers: Receivers
  readonly reader: Reader
  readonly senders: Senders
  /** Fresh nodes that were deleted so far. */
  readonly deleted: number[]
}

/** Breaks something and gives the way to heal it. */
type Break = (scene: Scene, fault: PlannedFault) => Promise<() => unknown>

const RELIABLE_MS = 10_000

const breaks: Readonly<Record<FaultKind, Break>> = {
  'kill the holder': async ({ installation: { waybills } }) => waybills.end(await waybills.holder(), 'SIGKILL'),
  'kill the standby': async ({ installation: { waybills } }) => waybills.end(1 - (await waybills.holder()), 'SIGKILL'),
  'stop the holder': async ({ installation: { waybills } }) => waybills.end(await waybills.holder(), 'SIGTERM'),
  'freeze the holder': async ({ installation: { waybills } }) => freezeWaybill(waybills, await waybills.holder()),
  'freeze the standby': async ({ installation: { waybills } }) =>
    freezeWaybill(waybills, 1 - (await waybills.holder())),
  'kill Redis': async ({ installation: { redis } }) => {
    await redis.kill()
    return () => redis.start()
  },
  'freeze Redis': async ({ installation: { redis } }) => freeze(redis),
  'fill Redis': fillRedis,
  'kill the server': killServer,
  'freeze the server': async ({ installation: { server } }) => freeze(server),
  'cut what goes to the server': cut('toServer', 'there'),
  'cut what comes from the server': cut('toServer', 'back'),
  'lose what goes to the server': async ({ installation: { toServer } }) => toServer.lose('there'),
  'lose what comes from the server': async ({ installation: { toServer } }) => toServer.lose('back'),
  'stall the link to the server': async ({ installation: { toServer } }) => toServer.stall(),
  'lose iq results': sift(() => ({ kind: 'lose' })),
  'delay iq results': sift((choice) => ({ kind: 'delay', ms: 200 + 3_000 * choice })),
  'cut what goes to Redis': cut('toRedis', 'there'),
  'cut what comes from Redis': cut('toRedis', 'back'),
  'stall the link to Redis': async ({ installation: { toRedis } }) => toRedis.stall(),
  'lose replies of Redis': async ({ installation: { toRedis } }) => toRedis.lose('back'),
  'nodes refuse': async ({ reader, installation }) => {
    const { domain } = installation.server.component('waybill')
    for (const node of REFUSING_NODES) await reader.affiliate(node, domain, 'outcast')
    return async () => {
      for (const node of REFUSING_NODES) await reader.affiliate(node, domain, 'owner')
    }
  },
  'delete a node': deleteNode,
  'JIDs bounce': async ({ receivers: { mood } }) => {
    mood.bounces = true
    return () => {
      mood.bounces = false
    }
  },
  'destinations hang': async ({ receivers: { mood } }) => {
    mood.hangs = true
    return () => {
      mood.hangs = false
    }
  },
}

function freezeWaybill(waybills: Installation['waybills'], slot: number): () => void {
  waybills.signal(slot, 'SIGSTOP')
  return () => waybills.signal(slot, 'SIGCONT')
}

function freeze(server: { signal(signal: NodeJS.Signals): void }): () => void {
  server.signal('SIGSTOP')
  return () => server.signal('SIGCONT')
}

function cut(link: 'toServer' | 'toRedis', direction: 'there' | 'back'): Break {
  return async ({ installation }, { choice }) => {
    await installation[link].cut(direction, choice)
    return () => {}
  }
}

/** Half of all results are hit. */
function sift(fateOf: (choice: number) => Fate): Break {
  return async ({ installation: { toServer } }, fault) => {
    const isResult = /^<iq\b[^>]*\stype=(["'])result\1/
    const random = seededRandom(fault.choice * 2 ** 32)
    return toServer.sift((stanza) => {
      const choice = random()
      return isResult.test(stanza) && choice < 0.5 ? fateOf(choice * 2) : { kind: 'pass' }
    })
  }
}

/** Less than it holds already: every write is refused that doesn't make room. */
async function fillRedis({ installation: { client } }: Scene): Promise<() => Promise<unknown>> {
  const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1])
  await client.config('SET', 'maxmemory', String(Math.max(1, used - (1 << 20))))
  return () => eventually(() => client.config('SET', 'maxmemory', '0'), { timeoutMs: 60_000 })
}

/** A server may forget at its death what it had confirmed a moment before. */
async function killServer({ installation, reader, senders }: Scene): Promise<() => Promise<void>> {
  const { server, serverDeaths } = installation
  const death = { fromMs: Date.now(), untilMs: Number.POSITIVE_INFINITY }
  serverDeaths.push(death)
  await server.kill()
  return async () => {
    await server.start()
    death.untilMs = Date.now()
    await reader.catchUp()
    await senders.publishAgain(death.fromMs - RELIABLE_MS)
  }
}

/** Each once: afterwards it is Waybill's, and nobody else may delete it. */
async function deleteNode({ reader, deleted }: Scene): Promise<() => Promise<void>> {
  if (deleted.length === FRESH_NODES) return async () => {}
  const node = freshNode(deleted.length)
  deleted.push(deleted.length)
  await reader.catchUp([node])
  await reader.remove(node)
  return () => reader.catchUp([node])
}

export interface DoneFault extends PlannedFault {
  /** What went wrong with the fault itself. */
  readonly trouble: string
}

/** Makes all of them, each at its time; resolves when everything is healed. */
export async function makeFaults(
  scene: Scene,
  faults: readonly PlannedFault[],
  clock: RunClock,
  tell: (line: string) => void,
  isStopped: () => boolean,
): Promise<readonly DoneFault[]> {
  const busy = new Map<string, Promise<unknown>>()
  const inTurn = <T>(target: string, work: () => Promise<T>): Promise<T> => {
    const mine = (busy.get(target) ?? Promise.resolve()).then(work)
    busy.set(target, mine)
    return mine
  }
  const one = async (fault: PlannedFault): Promise<DoneFault | undefined> => {
    await clock.until(fault.atMs)
    return inTurn(FAULTS[fault.kind].target, async () => {
      if (isStopped()) return undefined
      tell(`${fault.kind}, for ${(fault.lastsMs / 1_000).toFixed(1)} s`)
      return { ...fault, trouble: await breakAndHeal(scene, fault) }
    })
  }
  const done = await Promise.all(faults.map(one))
  return done.filter((fault) => fault !== undefined)
}

async function breakAndHeal(scene: Scene, fault: PlannedFault): Promise<string> {
  try {
    const heal = await breaks[fault.kind](scene, fault)
    await pause(fault.lastsMs)
    await heal()
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
