/**
 * The raw pass-through: every document that comes in goes on as it stands, under a new head. No parser, no check, no queue, no
 * acknowledgement: what the server and a socket can carry.
 *
 * Environment: XMPP_SERVICE, XMPP_DOMAIN, XMPP_SECRET; JIDS, or PUBSUB, NODES and PERSIST (0 or 1). Prints `ready` when it is up.
 */
import { connectComponent } from '../component-socket.mjs'

const { XMPP_SERVICE, XMPP_DOMAIN, XMPP_SECRET, JIDS, PUBSUB, NODES, PERSIST } = process.env
const END = '</iq>'
const PUBLISH = `<pubsub xmlns='http://jabber.org/protocol/pubsub'>`
const jids = listOf(JIDS)
const nodes = listOf(NODES)
const heads = jids.map((jid) => `<message from='${XMPP_DOMAIN}' to='${jid}' id='`)
const publishes = nodes.map(() => `<iq type='set' from='${XMPP_DOMAIN}' to='${PUBSUB}' id='`)
let rest = ''
let count = 0

/** @param {string | undefined} text */
function listOf(text) {
  return text ? text.split(',') : []
}

/** @param {string} text */
function forward(text) {
  rest += text
  let at = 0
  for (let end = rest.indexOf(END); end >= 0; end = rest.indexOf(END, at)) {
    const start = rest.lastIndexOf('<iq', end)
    const headEnd = rest.indexOf('>', start)
    if (isSet(start, headEnd)) pass(rest.slice(headEnd + 1, end))
    at = end + END.length
  }
  rest = rest.slice(at)
}

/** The answers of a PubSub service are results, and end in the same way. @param {number} start @param {number} headEnd */
function isSet(start, headEnd) {
  return nodes.length === 0 || /\stype=['"]set/.test(rest.slice(start, headEnd))
}

/** @param {string} document */
function pass(document) {
  count += 1
  for (const head of heads) component.write(`${head}${count}'>${document}</message>`)
  for (const [number, head] of publishes.entries())
    component.write(
      `${head}${count}'>${PUBLISH}<publish node='${nodes[number]}'><item id='${count}'>${document}</item></publish></pubsub></iq>`,
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
for (const node of nodes) createNode(node)
process.on('SIGTERM', () => {
  component.close()
  process.exit(0)
})
console.log('ready')

/** As Waybill creates its own. @param {string} node */
function createNode(node) {
  const option = PERSIST === '1' ? ['pubsub#max_items', '20'] : ['pubsub#persist_items', '0']
  const field = (/** @type {string} */ name, /** @type {string} */ value, type = '') =>
    `<field var='${name}'${type}><value>${value}</value></field>`
  component.write(
    `<iq type='set' from='${XMPP_DOMAIN}' to='${PUBSUB}' id='create-${node}'>${PUBLISH}<create node='${node}'/><configure>` +
      `<x xmlns='jabber:x:data' type='submit'>${field('FORM_TYPE', 'http://jabber.org/protocol/pubsub#node_config', " type='hidden'")}` +
      `${field(option[0], option[1])}</x></configure></pubsub></iq>`,
  )
}
