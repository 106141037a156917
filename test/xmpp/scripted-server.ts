import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { type Connection, type ConnectionOptions, createConnection } from '../../src/xmpp/connection.ts'
import { HEADER } from './stream-text.ts'

/** One connection that was accepted. */
export interface Peer {
  readonly socket: Socket
  /** All that came. */
  readonly text: string
  send(text: string): void
}

/** What the server does on each step. */
export interface Behaviour {
  readonly header?: (peer: Peer) => void
  readonly handshake?: (peer: Peer) => void
  readonly iq?: (peer: Peer, id: string) => void
}

export interface ScriptedServer {
  readonly service: string
  readonly port: number
  readonly peers: readonly Peer[]
  /** For connections that come from now on. */
  behave(behaviour: Behaviour): void
  close(): Promise<void>
}

/** Lets everybody in, and answers nothing. */
const polite: Required<Behaviour> = {
  header: (peer) => peer.send(HEADER),
  handshake: (peer) => peer.send('<handshake/>'),
  iq: () => {},
}

export const streamError = (condition: string, rest = '') =>
  `<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>${rest}</stream:error></stream:stream>`

/** A server that does what no real one can be brought to do. */
export async function startScriptedServer(first: Behaviour = {}, tls?: TlsOptions, port = 0): Promise<ScriptedServer> {
  const peers: Peer[] = []
  let behaviour = { ...polite, ...first }
  const accept = (socket: Socket) => peers.push(serve(socket, behaviour))
  const server = tls ? createTlsServer(tls, accept) : createServer({ noDelay: true }, accept)
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const bound = (server.address() as { port: number }).port
  return {
    service: `${tls ? 'xmpps' : 'xmpp'}://127.0.0.1:${bound}`,
    port: bound,
    peers,
    behave(next) {
      behaviour = { ...polite, ...next }
    },
    close: () => closeAll(server, peers),
  }
}

function serve(socket: Socket, behaviour: Required<Behaviour>): Peer {
  let text = ''
  const peer: Peer = {
    socket,
    get text() {
      return text
    },
    send: (xml) => void socket.write(xml),
  }
  socket.setEncoding('utf8')
  socket.on('error', () => {})
  socket.on('data', (piece: string) => {
    const before = text
    text += piece
    if (!before.includes('<stream:stream') && text.includes('<stream:stream')) behaviour.header(peer)
    if (!before.includes('</handshake>') && text.includes('</handshake>')) behaviour.handshake(peer)
    for (const [, id] of piece.matchAll(/<iq type="get" id="([^"]*)"/g)) behaviour.iq(peer, id!)
  })
  return peer
}

async function closeAll(server: Server, peers: readonly Peer[]): Promise<void> {
  for (const { socket } of peers) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
}

export interface LoggedConnection extends Connection {
  readonly logged: readonly { level: string; event: string; reason: unknown }[]
}

/** A connection as the settings make it, with short pauses. */
export function connectionTo(service: string, more: Partial<ConnectionOptions> = {}): LoggedConnection {
  const logged: { level: string; event: string; reason: unknown }[] = []
  const connection = createConnection({
    service,
    domain: 'waybill.example.test',
    secret: 's3cret',
    insecure: false,
    maxStanzaBytes: 262_144,
    depth: 64,
    attributes: 256,
    firstPauseMs: 10,
    log: (level, event, details) => logged.push({ level, event, reason: details?.reason }),
    ...more,
  })
  // Not a copy: what it tells of itself are getters.
  return Object.assign(connection, { logged })
}
