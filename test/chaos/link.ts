import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePorts } from '../servers/ports.ts'
import { createStreamCutter } from '../servers/stream-cutter.ts'

/** To the server behind the link, or back from it. */
export type Direction = 'there' | 'back'

/** What becomes of a stanza on its way back: it goes on, now or later, or is lost. */
export type Fate =
  | { readonly kind: 'pass' }
  | { readonly kind: 'lose' }
  | { readonly kind: 'delay'; readonly ms: number }

/** A TCP link between Waybill and a server, on which everything goes wrong that can go wrong on a wire. */
export interface Link {
  readonly port: number
  /** Each connection passes on a part only of what comes next in this direction, and is reset. One that is silent is reset after a second. */
  cut(direction: Direction, share: number): Promise<void>
  /** Nothing goes in either direction until it is undone; then all of it does. */
  stall(): () => void
  /** What goes in this direction is lost until it is undone; then the connections are reset. */
  lose(direction: Direction): () => void
  /** Asks of each stanza on its way back what becomes of it, until it is undone. For links that carry stanzas. */
  sift(judge: (stanza: string) => Fate): () => void
  close(): void
}

interface Connection {
  readonly near: Socket
  readonly far: Socket
  readonly losing: Record<Direction, boolean>
  cutting: { readonly direction: Direction; readonly share: number } | undefined
}

const SILENT_MS = 1_000

export async function openLink(targetPort: number, { carriesStanzas = false } = {}): Promise<Link> {
  const connections = new Set<Connection>()
  let isStalled = false
  let judge: ((stanza: string) => Fate) | undefined

  function accept(near: Socket): void {
    const far = connect({ port: targetPort, host: '127.0.0.1', noDelay: true })
    const connection: Connection = { near, far, losing: { there: false, back: false }, cutting: undefined }
    connections.add(connection)
    near.setNoDelay(true)
    const cutter = createStreamCutter()
    const inPieces = (text: string) => (carriesStanzas ? cutter(text).map((piece) => piece.text) : [text])
    carry(connection, 'there', (text) => [text])
    carry(connection, 'back', inPieces)
  }

  function carry(connection: Connection, direction: Direction, inPieces: (text: string) => readonly string[]): void {
    const [from, to] = direction === 'there' ? [connection.near, connection.far] : [connection.far, connection.near]
    from.setEncoding('latin1')
    if (isStalled) from.pause()
    from.on('data', (text) => {
      for (const piece of inPieces(String(text))) pass(connection, direction, to, piece)
    })
    from.on('error', () => {})
    from.on('close', () => drop(connection))
  }

  function pass(connection: Connection, direction: Direction, to: Socket, text: string): void {
    if (to.destroyed || connection.losing[direction]) return
    if (connection.cutting?.direction === direction) {
      to.write(text.slice(0, Math.max(1, Math.floor(text.length * connection.cutting.share))), 'latin1', () =>
        drop(connection),
      )
      connection.losing.there = true
      connection.losing.back = true
      return
    }
    const fate = direction === 'back' && judge ? judge(text.trimStart()) : undefined
    if (fate?.kind === 'lose') return
    if (fate?.kind === 'delay') setTimeout(() => to.destroyed || to.write(text, 'latin1'), fate.ms)
    else to.write(text, 'latin1')
  }

  function drop(connection: Connection): void {
    connections.delete(connection)
    connection.near.destroy()
    connection.far.destroy()
  }

  const server = await listen(accept)
  return {
    port: (server.address() as { port: number }).port,
    async cut(direction, share) {
      const marked = [...connections]
      for (const connection of marked) connection.cutting = { direction, share }
      await new Promise((resolve) => setTimeout(resolve, SILENT_MS))
      for (const connection of marked) drop(connection)
    },
    stall() {
      isStalled = true
      for (const { near, far } of connections) for (const socket of [near, far]) socket.pause()
      return () => {
        isStalled = false
        for (const { near, far } of connections) for (const socket of [near, far]) socket.resume()
      }
    },
    lose(direction) {
      const losing = [...connections]
      for (const connection of losing) connection.losing[direction] = true
      return () => {
        for (const connection of losing) drop(connection)
      }
    },
    sift(fateOf) {
      judge = fateOf
      return () => {
        judge = undefined
      }
    },
    close() {
      server.close()
      for (const connection of [...connections]) drop(connection)
    },
  }
}

/** Below the ports of outgoing connections, so that nobody connects to itself. */
async function listen(accept: (socket: Socket) => void): Promise<Server> {
  const [port] = (await freePorts(1)) as [number]
  const server = createServer(accept)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
