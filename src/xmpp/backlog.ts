import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'

/** What was written to a socket, and how far it has got. */
export interface Backlog {
  /** Bytes that the other side hasn't taken, in this process and in the system. */
  readonly left: number
  /** Bytes that it has taken: it grows. */
  readonly taken: number
}

/**
 * To be asked rarely: it reads a file of the system's, since the system takes megabytes at once that the other side may be minutes away from.
 * Where the system doesn't say what it holds, what it was given counts as taken.
 */
export function backlogOf(socket: Socket): Backlog {
  const held = heldBySystem(socket)
  const given = socket.bytesWritten - socket.writableLength
  return { left: socket.writableLength + held, taken: given - held }
}

/** What was sent or is to be sent, and isn't acknowledged: `tx_queue` of proc(5). */
function heldBySystem({ localPort, remotePort }: Socket): number {
  if (localPort === undefined || remotePort === undefined) return 0
  const ours = new RegExp(`:${hex(localPort)} [0-9A-F]+:${hex(remotePort)} [0-9A-F]{2} ([0-9A-F]{8}):`)
  for (const name of ['tcp', 'tcp6']) {
    const held = ours.exec(textOf(`/proc/net/${name}`))?.[1]
    if (held !== undefined) return Number.parseInt(held, 16)
  }
  return 0
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0')
}

/** '' where there is no such file: other systems have none. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
