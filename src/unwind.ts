import type { Log } from './flow/ports.ts'

/** How each thing that was opened is closed, in the order of opening. */
export type Undo = (() => Promise<void>)[]

/** Closes the last first, and each that there is, whatever becomes of the others. */
export async function unwind(undo: Undo, log: Log): Promise<void> {
  for (const close of undo.splice(0).reverse()) await close().catch(logged(log, 'close-failed'))
}

export function logged(log: Log, event: string): (error: Error) => void {
  return (error) => log('error', event, { reason: error.message })
}
