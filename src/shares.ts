import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from './flow/ports.ts'
import type { Neighbours } from './neighbours.ts'
import { StartFailed } from './start-failed.ts'
import { repeat, type Station } from './station.ts'
import { logged } from './unwind.ts'
import { ConnectionRefused } from './xmpp/connection.ts'

/** How soon it is noticed that a domain is free. */
const LOOK_MS = 250
/** After so long without a holder a domain is taken by any process, also by one that holds more than others. */
const UNHELD_MS = 4_000
/** After taking one that nobody else took, or failing to attach, this long nothing is handed over, or tried again. */
const REST_MS = 60_000
/** After failing to open what serves a domain. */
const AGAIN_MS = 1_000

/** What this process has of one domain. */
interface Share {
  readonly domain: string
  station: Station
  state: 'standby' | 'beginning' | 'serving' | 'leaving'
  /** Since when nobody is known to hold it. */
  freeSinceMs: number | undefined
  notBeforeMs: number
  /** While it is given back. */
  leaving: Promise<void> | undefined
}

export interface SharesNeeds {
  readonly domains: readonly string[]
  /** Opens what serves a domain, standing by. */
  readonly open: (domain: string) => Promise<Station>
  readonly neighbours: Pick<Neighbours, 'others' | 'tell'>
  readonly cancelled?: AbortSignal | undefined
  readonly log: Log
}

/**
 * Which domains this process holds. Who holds fewest takes what is free, at once; after four seconds anybody does. Who holds two more than
 * another process hands one over. So each domain has a holder, and the processes have as many as each other, or one more.
 */
export interface Shares {
  readonly stations: readonly Station[]
  /** Domains that this process has handed over, until it is known who has them now. */
  readonly handedOver: ReadonlySet<string>
  /** Domains that are held, or about to be. */
  holds(): readonly string[]
  /** Resolves when the first domain is served. Throws {@link StartFailed}. */
  begin(): Promise<void>
  /** Ends what is in flight as far as it can be in time, and gives every domain back. Safe to call again. */
  stop(): Promise<void>
}

export async function openShares(needs: SharesNeeds): Promise<Shares> {
  const { domains, open, neighbours, cancelled, log } = needs
  const shares: Share[] = []
  const handedOver = new Set<string>()
  let restUntilMs = 0
  let stopLooking = () => {}
  const ending = new AbortController()
  let stopping: Promise<void> | undefined
  let isUp = false
  let first: { resolve(): void; reject(error: Error): void } | undefined

  const isHeld = ({ state, station }: Share) => state === 'beginning' || (state === 'serving' && station.lease.held)
  const held = () => shares.filter(isHeld)
  const holds = () => held().map(({ domain }) => domain)
  const close = () => Promise.all(shares.map(({ station }) => station.close()))

  async function look(): Promise<void> {
    const fewest = Math.min(...neighbours.others.map((other) => other.holds.length), Number.POSITIVE_INFINITY)
    if (held().length - fewest >= 2 && performance.now() >= restUntilMs) return handOver()
    for (const share of shares) {
      if (share.state !== 'standby' || performance.now() < share.notBeforeMs) continue
      // A domain whose Redis is away is no reason to leave another one alone.
      const isTaken = await mayTake(share, held().length <= fewest).catch(notAsked)
      if (isTaken || share.station.lease.other) handedOver.delete(share.domain)
      if (isTaken) return take(share)
    }
  }

  function notAsked(error: Error): false {
    log('debug', 'domain-not-asked', { reason: error.message })
    return false
  }

  /** True where it is held then. */
  async function mayTake(share: Share, isOurTurn: boolean): Promise<boolean> {
    const { lease } = share.station
    if (isOurTurn) return lease.tryTake()
    const isFree = await lease.isFree()
    share.freeSinceMs = isFree ? (share.freeSinceMs ?? performance.now()) : undefined
    if (share.freeSinceMs === undefined || performance.now() - share.freeSinceMs < UNHELD_MS) return false
    restUntilMs = performance.now() + REST_MS
    return lease.tryTake()
  }

  function take(share: Share): void {
    share.state = 'beginning'
    share.freeSinceMs = undefined
    void neighbours.tell()
    const served = () => {
      share.state = 'serving'
      isUp = true
      first?.resolve()
    }
    void share.station
      .begin(cancelled)
      .then(served, (error: Error) => refused(share, error))
      .catch(logged(log, 'domain-not-changed'))
  }

  /** A process that is up goes on without it. */
  async function refused(share: Share, error: Error): Promise<void> {
    if (ending.signal.aborted) return
    if (!isUp) {
      first?.reject(error instanceof ConnectionRefused ? new StartFailed(3, error.message) : error)
      return
    }
    log('error', 'domain-refused', { domain: share.domain, reason: error.message })
    share.notBeforeMs = performance.now() + REST_MS
    share.state = 'leaving'
    share.leaving = standBy(share)
    await share.leaving
  }

  function handOver(): void {
    const share = held().findLast(({ state }) => state === 'serving')
    if (!share) return
    log('info', 'domain-handed-over', { domain: share.domain })
    share.state = 'leaving'
    handedOver.add(share.domain)
    void neighbours.tell()
    share.leaving = share.station
      .drain()
      .then(() => standBy(share))
      .catch(logged(log, 'domain-not-changed'))
  }

  async function end(): Promise<void> {
    ending.abort()
    stopLooking()
    await Promise.all(shares.map(({ state, station, leaving }) => (state === 'serving' ? station.drain() : leaving)))
    await close()
  }

  /** With rooms that are new: what was released can't be taken again. That is tried until it is done: nobody else may be there for the domain. */
  async function standBy(share: Share): Promise<void> {
    await share.station.close()
    while (!ending.signal.aborted) {
      const station = await open(share.domain).catch(notOpened)
      if (station) {
        share.station = station
        share.state = 'standby'
        return
      }
      await delay(AGAIN_MS, undefined, { signal: ending.signal }).catch(() => {})
    }
  }

  function notOpened(error: Error): undefined {
    log('warn', 'domain-not-opened', { reason: error.message })
  }

  try {
    for (const domain of domains) {
      const station = await open(domain)
      shares.push({ domain, station, state: 'standby', freeSinceMs: undefined, notBeforeMs: 0, leaving: undefined })
    }
  } catch (error) {
    await close()
    throw error
  }
  return {
    get stations() {
      return shares.map(({ station }) => station)
    },
    handedOver,
    holds,
    begin() {
      return new Promise((resolve, reject) => {
        first = { resolve, reject }
        const giveUp = () => reject(new Error('Cannot take a domain: it was cancelled'))
        if (cancelled?.aborted) return giveUp()
        cancelled?.addEventListener('abort', giveUp, { once: true })
        stopLooking = repeat(LOOK_MS, look, logged(log, 'domains-not-looked-at'))
      })
    },
    stop() {
      stopping ??= end()
      return stopping
    },
  }
}
