/**
 * The raw yardstick: takes the document out of each iq by its text, sends it on, acknowledges. No parser, no check, no queue: what the
 * server and two sockets can carry. Environment as the naive peer's. Prints `ready` when it is up.
 */
import { connectComponent } from './component-socket.mjs'

const { XMPP_SERVICE, XMPP_DOMAIN, XMPP_SECRET, TARGET } = process.env
const END = '</iq>'
let rest = ''

/** @param {string} text */
function forward(text) {
  rest += text
  let start = 0
  for (let end = rest.indexOf(END); end >= 0; end = rest.indexOf(END, start)) {
    forwardStanza(rest.slice(rest.indexOf('<iq', start), end))
    start = end + END.length
  }
  rest = rest.slice(start)
}

/** @param {string} stanza an iq without its end tag */
function forwardStanza(stanza) {
  const headEnd = stanza.indexOf('>')
  const head = stanza.slice(0, headEnd)
  const attribute = (/** @type {string} */ name) => new RegExp(`\\s${name}=['"]([^'"]*)`).exec(head)?.[1]
  if (attribute('type') !== 'set') return
  const id = attribute('id')
  component.write(
    `<message to='${TARGET}' from='${XMPP_DOMAIN}' id='${id}'>${stanza.slice(headEnd + 1)}</message>` +
      `<iq type='result' to='${attribute('from')}' from='${attribute('to')}' id='${id}'/>`,
  )
}

const component = await connectComponent({
  port: Number(new URL(XMPP_SERVICE.replace('xmpp:', 'http:')).port),
  domain: XMPP_DOMAIN,
  secret: XMPP_SECRET,
  onText: forward,
  onLost: (reason) => {
    console.error(reason.message)
    process.exit(1)
  },
})
process.on('SIGTERM', () => {
  component.close()
  process.exit(0)
})
console.log('ready')
