import { randomBytes } from 'node:crypto'
import type { Call } from './calls.ts'

/** Attempts that Redis may have begun without our hearing of it: nobody has them in hand. */
export interface LostStarts {
  add(token: string, ids: readonly string[]): void
  /** Takes them back. */
  release(): Promise<void>
}

/** Beyond this many, the leases have to run out. */
const LOST_MOST = 100

export function createLostStarts(call: Call, instance: string): LostStarts {
  const lost: { readonly token: string; readonly ids: readonly string[] }[] = []
  return {
    add(token, ids) {
      if (ids.length > 0 && lost.length < LOST_MOST) lost.push({ token, ids })
    },
    async release() {
      for (let first = lost[0]; first; first = lost[0]) {
        await call('release', [instance, first.token, ...first.ids], { repeatable: true })
        lost.shift()
      }
    },
  }
}

/** Tells what one script call has done from what all others have. */
export function startToken(): string {
  return randomBytes(9).toString('base64url')
}
