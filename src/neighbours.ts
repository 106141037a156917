import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from './flow/ports.ts'
import type { LivingProcess, Presence } from './redis/presence.ts'
import { repeat } from './station.ts'

const TOLD_EACH_MS = 1_000
const LOOK_MS = 200
/** Longer than a process that has died counts as living. */
const PATIENCE_MS = 10_000

export interface NeighbourNeeds {
  readonly presence: Presence
  readonly instance: string
  /** Domains that this process holds. */
  readonly holds: () => readonly string[]
  /** Digest of the configuration in force. */
  readonly inForce: () => string
  readonly log: Log
  /** How long others are waited for; 10 s by default. */
  readonly patienceMs?: number
}

/** The other processes of the installation: told what this one does, and heard. */
export interface Neighbours {
  /** Those that were heard of last. */
  readonly others: readonly LivingProcess[]
  /** Tells them now. Never throws: who isn't heard of for a while counts as gone. */
  tell(): Promise<void>
  /**
   * Says that the configuration of that digest could be taken over, and resolves when all others say so too, or have it in force
   * already; when patience is over in any case. Where Redis can't be asked, nobody is waited for.
   */
  agree(digest: string): Promise<void>
  /** Takes leave of them. */
  stop(): Promise<void>
}

export function meetNeighbours({
  presence,
  instance,
  holds,
  inForce,
  log,
  patienceMs = PATIENCE_MS,
}: NeighbourNeeds): Neighbours {
  let others: readonly LivingProcess[] = []
  let next: string | undefined
  let stopped = false

  async function tell(): Promise<boolean> {
    if (stopped) return false
    const state = { holds: holds(), inForce: inForce(), ready: next ?? inForce() }
    try {
      others = (await presence.announce(state)).filter((one) => one.instance !== instance)
      return true
    } catch (error) {
      log('debug', 'neighbours-not-told', { reason: (error as Error).message })
      return false
    }
  }

  const stopTelling = repeat(TOLD_EACH_MS, tell, () => {})
  const behind = (digest: string) => others.filter((one) => one.ready !== digest && one.inForce !== digest)
  return {
    get others() {
      return others
    },
    async tell() {
      await tell()
    },
    async agree(digest) {
      next = digest
      const untilMs = performance.now() + patienceMs
      try {
        while ((await tell()) && behind(digest).length > 0) {
          if (performance.now() >= untilMs) {
            log('warn', 'reload-not-agreed', { digest, without: behind(digest).map((one) => one.instance) })
            return
          }
          await delay(LOOK_MS)
        }
      } finally {
        next = undefined
      }
    },
    async stop() {
      stopped = true
      stopTelling()
      await presence.leave().catch(() => {})
    },
  }
}
