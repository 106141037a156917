import type { StartedAttempt } from '../flow/ports.ts'
import type { Connection } from './connection.ts'
import type { Proof } from './proof.ts'

/** Whose turn it is to write documents. */
export interface Turns {
  /** Resolves when nothing has the stream to itself; undefined where it may be written at once. */
  readonly wait: Promise<void> | undefined
  /**
   * Runs `write`, which has written its stanza when it gives its promise, and settles with what it gives; ordinary ones as soon as
   * nothing has the stream to itself. An attempt that must be alone waits until the server has had everything before it, and nothing
   * else is written until the server has had this one too. Settles with `lost` where the stream was lost before it was written.
   */
  take<T>(
    attempt: Pick<StartedAttempt, 'alone'>,
    onHad: () => void,
    write: () => T | Promise<T>,
    lost: T,
  ): T | Promise<T>
}

/**
 * What stops the server reading closes no stream by itself: where there is no answer to the ping behind what was alone, the stream is given
 * up, and that is why.
 *
 * @param prove Settles when the server has had all that was written so far.
 */
export function createTurns(connection: Pick<Connection, 'isQuiet' | 'giveUp'>, prove: () => Promise<Proof>): Turns {
  let taken: Promise<void> | undefined

  async function takeAlone<T>(
    alone: NonNullable<StartedAttempt['alone']>,
    onHad: () => void,
    write: () => T | Promise<T>,
    lost: T,
  ): Promise<T> {
    const leave = close()
    try {
      if (!connection.isQuiet && (await prove()) !== 'handed-over') return lost
      const written = write()
      if (alone === 'until-had') {
        void prove().then((proof) => {
          leave()
          if (proof === 'handed-over') onHad()
          if (proof === 'timeout') connection.giveUp('the server read nothing more after what was sent alone')
        })
      }
      return await written
    } finally {
      leave()
    }
  }

  async function takeLater<T>(
    alone: StartedAttempt['alone'],
    onHad: () => void,
    write: () => T | Promise<T>,
    lost: T,
  ): Promise<T> {
    while (taken) await taken
    return alone === undefined ? write() : takeAlone(alone, onHad, write, lost)
  }

  function close(): () => void {
    let open!: () => void
    const closed = new Promise<void>((resolve) => {
      open = resolve
    })
    taken = closed
    return () => {
      if (taken === closed) taken = undefined
      open()
    }
  }

  return {
    get wait() {
      return taken
    },
    take({ alone }, onHad, write, lost) {
      return alone === undefined && !taken ? write() : takeLater(alone, onHad, write, lost)
    },
  }
}
