import type { Log } from '../flow/ports.ts'
import { describe } from './connection.ts'

export interface OutgoingJob {
  readonly ids: readonly string[]
  readonly delayMs: number
}

export interface Outgoing {
  /** Resolves when the ids are on their way, or were given up: losing a wake costs time only, so this never throws. */
  wake(ids: readonly string[], delayMs: number): Promise<void>
  /** The ids came in: they may be woken for again. */
  arrived(ids: readonly string[]): void
  /** Everything may be woken for again. */
  forget(): void
}

/** One job costs as much as 128 ids do. */
const IDS_MOST = 128
/** Wakes that are due within the same step share jobs. */
const STEP_MS = 100
/** After this, a wake that hasn't come in counts as lost. */
const LOST_MS = 30_000
/** So many ids on their way at most; the sweeper finds the others. */
const ON_THE_WAY_MOST = 200_000

/**
 * Gathers ids into jobs: while jobs are being added, the next ids gather. An id that is on its way already, and comes no
 * later, isn't sent again: a sweeper that finds a long queue would double it with each sweep. What can't be added goes to
 * `handOver` instead: a Redis without memory takes no jobs, and only deliveries that end give it room again.
 */
export function createOutgoing(
  addJobs: (jobs: readonly OutgoingJob[]) => Promise<void>,
  handOver: (ids: readonly string[]) => void,
  log: Log,
): Outgoing {
  const gathered = new Map<number, string[]>()
  const onTheWay = createOnTheWay()
  let adding = Promise.resolve()
  let next: Promise<void> | undefined

  async function add(jobs: readonly OutgoingJob[]): Promise<void> {
    try {
      await addJobs(jobs)
    } catch (error) {
      for (const { ids } of jobs) for (const id of ids) onTheWay.remove(id)
      log('warn', 'wakes-lost', { jobs: jobs.length, error: describe(error) })
      for (const { ids, delayMs } of jobs) if (delayMs === 0) handOver(ids)
    }
  }

  // What gathers while jobs are being added goes with the next; each caller waits for its own only.
  function addGathered(): Promise<void> {
    next ??= adding.then(() => {
      const jobs = [...gathered].flatMap(([delayMs, ids]) => inJobs(ids, delayMs))
      gathered.clear()
      next = undefined
      adding = add(jobs)
      return adding
    })
    return next
  }

  return {
    async wake(ids, delayMs) {
      const nowMs = Date.now()
      // Up, so that nobody is woken too early to start.
      const steppedMs = delayMs <= 0 ? 0 : Math.ceil(delayMs / STEP_MS) * STEP_MS
      onTheWay.forgetLost(nowMs)
      for (const id of ids) {
        if (onTheWay.has(id, nowMs + steppedMs, nowMs)) continue
        onTheWay.add(id, nowMs + steppedMs)
        const same = gathered.get(steppedMs)
        if (same) same.push(id)
        else gathered.set(steppedMs, [id])
      }
      if (gathered.size > 0) await addGathered()
    },
    arrived(ids) {
      for (const id of ids) onTheWay.remove(id)
    },
    forget: () => onTheWay.clear(),
  }
}

function inJobs(ids: readonly string[], delayMs: number): OutgoingJob[] {
  const jobs: OutgoingJob[] = []
  for (let first = 0; first < ids.length; first += IDS_MOST) {
    jobs.push({ ids: ids.slice(first, first + IDS_MOST), delayMs })
  }
  return jobs
}

/** Ids with the time when their wake comes in. */
function createOnTheWay() {
  const comesAt = new Map<string, number>()
  return {
    add(id: string, atMs: number): void {
      comesAt.set(id, atMs)
    },
    remove(id: string): void {
      comesAt.delete(id)
    },
    clear(): void {
      comesAt.clear()
    },
    /** It is on its way, not lost, and comes no later than that. */
    has(id: string, atMs: number, nowMs: number): boolean {
      const known = comesAt.get(id)
      return known !== undefined && known <= atMs && nowMs < known + LOST_MS
    },
    /** Oldest first, since a Map keeps the order; a wake with a long delay may keep lost ones behind it a while. */
    forgetLost(nowMs: number): void {
      for (const [id, atMs] of comesAt) {
        if (comesAt.size < ON_THE_WAY_MOST && nowMs < atMs + LOST_MS) return
        comesAt.delete(id)
      }
    },
  }
}
