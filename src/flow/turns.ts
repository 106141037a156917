import { bareJid } from '../domain/jid.ts'

/**
 * Keeps what each sender sent in its order, where some of it takes longer to be looked at than what came behind it: all of it is looked
 * at side by side, and goes on one after the other.
 */
export interface SenderTurns {
  /** To be called in the order of arrival. */
  join(from: string): Turn
}

export interface Turn {
  /** Settles when everything that came earlier from the same sender has passed; undefined where there is nothing. */
  readonly before: Promise<void> | undefined
  /** What comes behind it may go on. Safe to call again. */
  pass(): void
}

/** One line for each bare JID that has something in hand. */
export function createSenderTurns(): SenderTurns {
  const last = new Map<string, Promise<void>>()
  return {
    join(from) {
      const sender = bareJid(from)
      const before = last.get(sender)
      let pass!: () => void
      const passed = new Promise<void>((resolve) => {
        pass = resolve
      })
      // What is refused out of its turn lets nobody overtake those before it.
      const all = before ? before.then(() => passed) : passed
      last.set(sender, all)
      void all.then(() => {
        if (last.get(sender) === all) last.delete(sender)
      })
      return { before, pass }
    },
  }
}
