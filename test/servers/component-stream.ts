import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import type { ComponentEntry } from './components.ts'
import { createStreamCutter } from './stream-cutter.ts'

export interface ComponentStream {
  send(xml: string): void
  close(): void
}

/** What comes of a stream: whole stanzas as text, and why it ended, once. */
export interface ComponentEvents {
  onStanza(stanza: string): void
  onEnd(reason: string): void
}

/** Connects as a component (XEP-0114) by a socket and text, with nothing of src/ in it. Resolves after the handshake. */
export async function openComponentStream(entry: ComponentEntry, events: ComponentEvents): Promise<ComponentStream> {
  const { port, domain, secret } = entry
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.setEncoding('utf8')
  const cut = createStreamCutter()
  return new Promise((resolve, reject) => {
    let isOnline = false
    let hasEnded = false
    const end = (reason: string) => {
      if (hasEnded) return
      hasEnded = true
      socket.destroy()
      if (isOnline) events.onEnd(reason)
      else reject(new Error(`Cannot connect as ${domain}: the server says ${reason}`))
    }
    const greet = (header: string) => {
      const id = /\sid=(["'])(.*?)\1/.exec(header)?.[2]
      if (id === undefined) return end(header)
      // XEP-0114 3: the digest of stream id and secret, in hex of lower case.
      const digest = createHash('sha1')
        .update(id + secret)
        .digest('hex')
      socket.write(`<handshake>${digest}</handshake>`)
    }
    const enter = (answer: string) => {
      if (!answer.startsWith('<handshake')) return end(answer)
      isOnline = true
      resolve({
        send: (xml) => {
          socket.write(xml)
        },
        close: () => {
          hasEnded = true
          socket.end('</stream:stream>')
          socket.destroySoon()
        },
      })
    }
    socket.on('connect', () =>
      socket.write(
        `<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='${domain}'>`,
      ),
    )
    socket.on('data', (chunk) => {
      for (const { kind, text } of cut(String(chunk))) {
        if (kind === 'header') greet(text)
        else if (kind === 'end') end('that the stream is closed')
        else if (isOnline) events.onStanza(text.trimStart())
        else enter(text.trimStart())
      }
    })
    socket.on('error', (error) => end(error.message))
    socket.on('close', () => end('nothing: it closed the connection'))
  })
}
