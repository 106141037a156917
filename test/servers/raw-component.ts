import { createHash } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { eventually } from '../eventually.ts'

/** A component (XEP-0114) made of a socket and text: text in, text out, with nothing of src/ in it. */
export interface RawComponent {
  readonly domain: string
  send(xml: string): void
  /** Whole stanzas as text, as they came, in order. */
  readonly received: readonly string[]
  close(): void
  /** The first stanza since the last call of `next` that matches, or one that comes within `timeoutMs` (10 seconds). */
  next(match: (stanza: string) => boolean, timeoutMs?: number): Promise<string>
}

export async function connectRawComponent(options: {
  port: number
  domain: string
  secret: string
}): Promise<RawComponent> {
  const { port, domain, secret } = options
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.setEncoding('utf8')
  const received: string[] = []
  const taken = new Set<number>()
  const stream = readStanzas(socket, received)
  socket.write(
    `<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='${domain}'>`,
  )
  const header = await eventually(() => stream.failure() ?? stream.header(), { what: `a stream header for ${domain}` })
  const id = /\sid=(["'])(.*?)\1/.exec(header)?.[2]
  if (id === undefined) throw new Error(`Cannot connect as ${domain}: the server says ${header}`)
  // XEP-0114 3: the digest of stream id and secret, in hex of lower case.
  socket.write(
    `<handshake>${createHash('sha1')
      .update(id + secret)
      .digest('hex')}</handshake>`,
  )
  const answer = await eventually(() => received.shift() ?? stream.failure(), { what: `the handshake of ${domain}` })
  if (!answer.startsWith('<handshake')) {
    socket.destroy()
    throw new Error(`Cannot connect as ${domain}: the server says ${answer}`)
  }
  const next = (match: (stanza: string) => boolean, timeoutMs = 10_000) =>
    eventually(
      () => {
        const index = received.findIndex((stanza, at) => !taken.has(at) && match(stanza))
        if (index < 0) return undefined
        taken.add(index)
        return received[index]
      },
      { timeoutMs, what: `a stanza for ${domain}; received so far:\n${received.join('\n')}` },
    )
  return {
    domain,
    received,
    next,
    send: (xml) => {
      socket.write(xml)
    },
    close: () => {
      socket.end('</stream:stream>')
      socket.destroySoon()
    },
  }
}

/** Cuts the stream into its children, by counting tags. Comments, CDATA and attribute values may hold anything. */
function readStanzas(
  socket: Socket,
  received: string[],
): { header(): string | undefined; failure(): string | undefined } {
  let text = ''
  let header: string | undefined
  let failure: string | undefined
  let depth = 0
  let stanzaAt = 0
  let at = 0
  const token =
    /<!\[CDATA\[[\s\S]*?\]\]>|<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<(\/?)(?:[^<>"'/]|"[^"]*"|'[^']*'|\/(?!>))*(\/?)>/y

  const consume = () => {
    for (;;) {
      const tag = text.indexOf('<', at)
      if (tag < 0) break
      token.lastIndex = tag
      const found = token.exec(text)
      if (!found) break
      at = token.lastIndex
      if (found[1] === undefined) continue
      if (header === undefined) {
        header = found[0]
        cut()
        continue
      }
      if (depth === 0) stanzaAt = tag
      if (found[1] === '/') depth--
      else if (found[2] !== '/') depth++
      if (depth < 0) {
        failure ??= 'that the stream is closed'
        break
      }
      if (depth > 0) continue
      received.push(text.slice(stanzaAt, at))
      cut()
    }
  }
  const cut = () => {
    text = text.slice(at)
    at = 0
    stanzaAt = 0
  }
  socket.on('data', (chunk: string) => {
    text += chunk
    consume()
  })
  socket.on('error', (error) => {
    failure ??= error.message
  })
  socket.on('close', () => {
    failure ??= 'nothing: it closed the connection'
  })
  return { header: () => header, failure: () => failure }
}
