import { keyPrefix } from '../../src/redis/keys.ts'
import { parseLedger } from '../../src/redis/readings.ts'
import { eventually } from '../eventually.ts'
import { seededRandom } from '../redis/model.ts'
import { readShard } from '../redis/shard.ts'
import { startClock } from './clock.ts'
import { type Count, count } from './count.ts'
import { type PlannedDocument, planDocuments } from './documents.ts'
import { type DoneFault, makeFaults } from './faults.ts'
import { type Installation, openInstallation, type ServerKind } from './installation.ts'
import { createReader, type Reader } from './nodes.ts'
import { createReceivers, type Receivers } from './receivers.ts'
import { type ResourceUse, watchResources } from './resources.ts'
import { FAULTS, type FaultKind, loadMs, type Pace, type PlannedFault, planFaults } from './schedule.ts'
import { type Senders, startSenders } from './senders.ts'
import type { UnwantedEnd } from './waybills.ts'

export interface ChaosOptions {
  readonly kind: ServerKind
  readonly documents: number
  readonly faults: number
  readonly seed: number
  /** No document is sent, and nothing is broken, later than this after the begin. */
  readonly capMs: number
  /** How long what waits may take to be done after the last fault was healed. */
  readonly quietMs: number
  readonly pace?: Pace
  /** All by default. */
  readonly kinds?: readonly FaultKind[]
  readonly tell: (line: string) => void
}

export interface ChaosResult {
  readonly kind: ServerKind
  readonly seed: number
  readonly count: Count
  readonly faults: readonly DoneFault[]
  readonly resources: readonly ResourceUse[]
  readonly unwanted: readonly UnwantedEnd[]
  /** Seconds of load, and from its end until nothing waited any more. */
  readonly seconds: { readonly load: number; readonly quiet: number }
  /** False where the time was over before everything had been sent, or before nothing waited any more. */
  readonly isWhole: boolean
}

const PROGRESS_MS = 10_000

/** Servers, load and faults, all decided by the seed; then quiet, and everything is counted. Leaves nothing behind. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { kind, seed, tell } = options
  // Both servers of one run see other faults.
  const random = seededRandom(seed * 2 + (kind === 'prosody' ? 0 : 1))
  const faults = planFaults(options.faults, random, options.pace, options.kinds)
  const documents = planDocuments(options.documents, loadMs(faults), random)
  for (const line of scheduleLines(faults)) tell(line)
  const stage = await openStage(kind)
  const { installation, receivers } = stage
  try {
    const resources = watchProcesses(installation)
    const { heard, ...loaded } = await load(stage, documents, faults, options)
    const used = resources.end()
    await installation.waybills.stop()
    const shard = await readShard(installation.client, installation.prefix)
    const { serverDeaths, waybills } = installation
    const counted = count({ ...heard, shard, arrivals: receivers.arrivals, serverDeaths })
    return { kind, seed, count: counted, resources: used, unwanted: waybills.unwanted, ...loaded }
  } finally {
    await installation.stop()
  }
}

/** Everything that is there before the first document. */
interface Stage {
  readonly installation: Installation
  readonly receivers: Receivers
  readonly reader: Reader
  /** Who hears what comes back to the senders. */
  senders: Senders | undefined
}

async function openStage(kind: ServerKind): Promise<Stage> {
  const receivers = createReceivers(() => installation.other)
  const installation = await openInstallation(kind, {
    peer: (stanza) => stage.senders?.take(stanza),
    other: receivers.take,
  })
  const { waybills, other } = installation
  const stage: Stage = { installation, receivers, reader: createReader(other, receivers), senders: undefined }
  try {
    await stage.reader.catchUp()
    await eventually(() => /^ready /m.test(waybills.log(0) + waybills.log(1)), { timeoutMs: 60_000, what: 'Waybill' })
    return stage
  } catch (error) {
    await installation.stop()
    throw error
  }
}

function watchProcesses({ kind, waybills, redis, server }: Installation) {
  return watchResources(() => ({
    'waybill 1': waybills.pids[0]!,
    'waybill 2': waybills.pids[1]!,
    redis: redis.pid,
    [kind]: server.pid,
  }))
}

/** Documents and faults, each at its time, until everything is healed, acknowledged and done. */
async function load(
  stage: Stage,
  documents: readonly (readonly PlannedDocument[])[],
  faults: readonly PlannedFault[],
  { tell, capMs, quietMs }: ChaosOptions,
): Promise<Pick<ChaosResult, 'faults' | 'seconds' | 'isWhole'> & { readonly heard: Senders }> {
  const { installation, reader } = stage
  const { domain } = installation.server.component('waybill')
  const clock = startClock((nowMs) => stage.senders?.behindMs(nowMs) ?? 0)
  const senders = startSenders(documents, installation.peer, domain, clock.until)
  stage.senders = senders
  const beganAtMs = Date.now()
  let isOver = false
  const over = setTimeout(() => {
    isOver = true
    senders.close()
    clock.stop()
  }, capMs)
  const stopTelling = tellProgress(senders, installation, tell)
  try {
    const done = await makeFaults({ ...stage, senders, deleted: [] }, faults, clock, tell, () => isOver)
    const wasSent = await within(senders.done, beganAtMs + capMs + quietMs - Date.now())
    const healedAtMs = Date.now()
    const wasQuiet = await waitForQuiet(installation, quietMs)
    const seconds = { load: (healedAtMs - beganAtMs) / 1_000, quiet: (Date.now() - healedAtMs) / 1_000 }
    await reader.catchUp()
    return { faults: done, seconds, isWhole: wasSent && wasQuiet && !isOver, heard: senders }
  } finally {
    clearTimeout(over)
    stopTelling()
    clock.stop()
    senders.stop()
  }
}

function tellProgress({ sent }: Senders, { client, prefix }: Installation, tell: (line: string) => void): () => void {
  const look = async () => {
    const waiting = await client.hget(`${keyPrefix(prefix)}ledger`, 'deliveries waiting').catch(() => '?')
    const acknowledged = sent.filter(({ acknowledgedAtMs }) => acknowledgedAtMs !== undefined).length
    tell(`${sent.length} documents sent, ${acknowledged} acknowledged, ${waiting} deliveries waiting`)
  }
  const timer = setInterval(look, PROGRESS_MS)
  return () => clearInterval(timer)
}

function scheduleLines(faults: readonly PlannedFault[]): string[] {
  return faults.map(
    ({ kind, atMs, lastsMs }) =>
      `planned at ${(atMs / 1_000).toFixed(1)} s: ${kind} (${FAULTS[kind].target}), for ${(lastsMs / 1_000).toFixed(1)} s`,
  )
}

/** Nothing waits any more, and no sender is owed a report; seen twice, since a late bounce may reopen something. */
async function waitForQuiet({ client, prefix }: Installation, timeoutMs: number): Promise<boolean> {
  let quietSince = Number.POSITIVE_INFINITY
  const isQuiet = async () => {
    const ledger = parseLedger(await client.hgetall(`${keyPrefix(prefix)}ledger`))
    const owed = await client.zcard(`${keyPrefix(prefix)}reports`)
    if (ledger.deliveries.waiting > 0 || owed > 0) quietSince = Number.POSITIVE_INFINITY
    else quietSince = Math.min(quietSince, Date.now())
    return Date.now() - quietSince > 2_000
  }
  return eventually(isQuiet, { timeoutMs, what: 'everything to be done' }).then(
    () => true,
    () => false,
  )
}

function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms)
    void work.then(() => {
      clearTimeout(timer)
      resolve(true)
    })
  })
}
