import type { Log, Outlet, StartedAttempt, Store } from './ports.ts'

export interface SuspectsNeeds {
  readonly store: Pick<Store, 'startSuspect' | 'cleared'>
  readonly outlet: Pick<Outlet, 'online'>
  /** Makes the attempt; settles when it has ended. */
  readonly attempt: (started: StartedAttempt, onHad: () => void) => Promise<void>
  /** Attempts of others are under way, or wait until nothing is alone. */
  readonly othersGo: () => boolean
  readonly log: Log
}

/**
 * What makes a server close the stream, or a process die, is found by sending alone what was there each time (docs/operations.md,
 * guarantee 6). One suspect at a time: the next one goes when the server has had this one, or it has ended. Between two of them
 * everything else goes on, for as long as the suspect took: others have half of the time.
 *
 * @returns Sends all suspects that are due, and resolves when none is left or the connection is lost. Called while it does so, it does
 * nothing.
 */
export function createSuspects({ store, outlet, attempt, othersGo, log }: SuspectsNeeds): () => Promise<void> {
  let isBusy = false

  /** Settles when the next one may go. */
  function sendAlone(started: StartedAttempt): Promise<void> {
    return new Promise((resolve) => {
      const onHad = () => {
        store
          .cleared(started)
          .catch((error: Error) => log('warn', 'suspect-not-cleared', { id: started.id, reason: error.message }))
          .finally(resolve)
      }
      attempt(started, onHad).finally(resolve)
    })
  }

  return async () => {
    if (isBusy) return
    isBusy = true
    try {
      while (outlet.online) {
        const started = await store.startSuspect()
        if (!started) return
        log('info', 'sent-alone', { id: started.id })
        const beganMs = performance.now()
        await sendAlone(started)
        const tookMs = performance.now() - beganMs
        if (othersGo()) await new Promise((resolve) => setTimeout(resolve, tookMs))
      }
    } finally {
      isBusy = false
    }
  }
}
