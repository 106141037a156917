import { createHash } from 'node:crypto'
import { connect } from 'node:net'

/**
 * A component (XEP-0114 3) that does as little as one can: text in, text out, one byte a character, writes of one turn of the event loop
 * gathered into one. Both ends of the measurement and the raw yardstick stand on it, so that the peer under test is what costs.
 *
 * @param {{ port: number, domain: string, secret: string, onText: (text: string) => void, onLost: (reason: Error) => void }} options
 * @returns {Promise<{ write: (text: string) => void, close: () => void }>} when the handshake is done
 */
export function connectComponent({ port, domain, secret, onText, onLost }) {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  socket.setEncoding('latin1')
  /** @type {'header' | 'handshake' | 'online' | 'closed'} */
  let state = 'header'
  let early = ''
  let pending = ''

  const flush = () => {
    const text = pending
    pending = ''
    if (state === 'online') socket.write(text, 'latin1')
  }
  const write = (/** @type {string} */ text) => {
    if (pending === '') setImmediate(flush)
    pending += text
  }
  const close = () => {
    state = 'closed'
    socket.end('</stream:stream>')
    socket.destroySoon()
  }

  return new Promise((resolve, reject) => {
    const lost = (/** @type {string} */ why) => {
      const reason = new Error(`Cannot stay connected as ${domain}: ${why}`)
      if (state === 'online') onLost(reason)
      else reject(reason)
      state = 'closed'
      socket.destroy()
    }
    const negotiate = (/** @type {string} */ text) => {
      early += text
      if (state === 'header') {
        const id = /<stream:stream[^>]*\sid=['"]([^'"]*)['"][^>]*>/.exec(early)
        if (id === null) return
        // XEP-0114 3: the digest is SHA-1 over the stream's id and the secret.
        socket.write(`<handshake>${createHash('sha1').update(`${id[1]}${secret}`).digest('hex')}</handshake>`)
        early = early.slice(id.index + id[0].length)
        state = 'handshake'
      }
      const done = /<handshake\s*(?:\/>|><\/handshake>)/.exec(early)
      if (done !== null) {
        state = 'online'
        resolve({ write, close })
        onText(early.slice(done.index + done[0].length))
      } else if (early.includes('<stream:error')) lost(early)
    }
    socket.on('connect', () =>
      socket.write(
        `<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' ` +
          `xmlns:stream='http://etherx.jabber.org/streams' to='${domain}'>`,
      ),
    )
    socket.on('data', (data) => {
      const text = String(data)
      if (state === 'online') onText(text)
      else if (state !== 'closed') negotiate(text)
    })
    socket.on('error', (error) => state !== 'closed' && lost(error.message))
    socket.on('close', () => state !== 'closed' && lost('the server closed the connection'))
  })
}
