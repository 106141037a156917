/** The demo's XMPP clients: accounts of the server that know nothing of Waybill but its address. */
import { client } from '@xmpp/client'

const SIGN_IN_MS = 30_000
// For the server to close the stream; nothing depends on it here.
const SIGN_OUT_MS = 300
const ANSWER_MS = 30_000
const PUBSUB = 'http://jabber.org/protocol/pubsub'
const STANZA_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const WAYBILL = 'urn:waybill:0'

/**
 * @typedef {object} Client
 * @property {string} jid bare
 * @property {(xml: string) => Promise<void>} write
 * @property {(fits: (stanza: any) => boolean, timeoutMs?: number) => Promise<any>} next the next stanza that fits
 * @property {(listener: (stanza: any) => void) => void} onStanza
 * @property {() => Promise<void>} signOut
 */

/**
 * Signs in and becomes available.
 *
 * @param {{ service: string, host: string, name: string, password: string }} account
 * @returns {Promise<Client>}
 */
export async function signIn({ service, host, name, password }) {
  const jid = `${name}@${host}`
  const xmpp = client({ service, domain: host, username: name, password, resource: 'demo' })
  xmpp.reconnect.stop()
  // By itself it gives each step of the sign-in two seconds.
  xmpp.timeout = SIGN_IN_MS
  const listeners = new Set()
  xmpp.on('stanza', (stanza) => {
    for (const listener of listeners) listener(stanza)
  })
  // Characters that are split over two reads must not be torn apart.
  xmpp.on('connect', () => xmpp.socket?.setEncoding?.('utf8'))
  const failed = new Promise((_, reject) => xmpp.on('error', reject))
  failed.catch(() => {})
  try {
    await within(Promise.race([xmpp.start(), failed]), SIGN_IN_MS)
  } catch (error) {
    stop(xmpp).catch(() => {})
    throw new Error(`Cannot sign in as ${jid} at ${service}: ${error.message || error}`)
  }
  await xmpp.write('<presence/>')
  return {
    jid,
    write: (xml) => xmpp.write(xml),
    onStanza: (listener) => listeners.add(listener),
    next: (fits, timeoutMs = ANSWER_MS) => {
      let listener
      const found = new Promise((resolve) => {
        listener = (stanza) => {
          if (!fits(stanza)) return
          // At once: the next stanza may have come in the same read.
          listeners.delete(listener)
          resolve(stanza)
        }
        listeners.add(listener)
      })
      return within(found, timeoutMs).finally(() => listeners.delete(listener))
    },
    signOut: () => within(stop(xmpp), SIGN_OUT_MS).then(nothing, nothing),
  }
}

function stop(xmpp) {
  xmpp.timeout = SIGN_OUT_MS
  return xmpp.stop()
}

const nothing = () => {}

/** @template T @param {Promise<T>} promise @param {number} timeoutMs @returns {Promise<T>} */
async function within(promise, timeoutMs) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * What Waybill answered to the stanza with this id.
 *
 * @returns {undefined | { kind: 'accepted', id: string, type: string, duplicate: boolean }
 *   | { kind: 'rejected', reason: string, findings: number, first: string }}
 */
export function answerTo(id, stanza) {
  if (stanza.attrs.id === id && stanza.attrs.type === 'error') return rejectionIn(stanza)
  const isReceipt = stanza.is('message') && stanza.getChild('received', 'urn:xmpp:receipts')?.attrs.id === id
  const isResult = stanza.is('iq') && stanza.attrs.id === id && stanza.attrs.type === 'result'
  if (!isReceipt && !isResult) return undefined
  const accepted =
    stanza.getChild('accepted', WAYBILL) ?? stanza.getChild('pubsub', PUBSUB)?.getChild('accepted', WAYBILL)
  const { id: envelope = '', type = '', duplicate } = accepted?.attrs ?? {}
  return { kind: 'accepted', id: envelope, type, duplicate: duplicate === 'true' }
}

function rejectionIn(stanza) {
  const error = stanza.getChild('error')
  const rejection = error?.getChild('rejection', WAYBILL)
  const condition = error
    ?.getChildElements()
    .find((child) => child.attrs.xmlns === STANZA_ERRORS && child.name !== 'text')
  const [finding] = rejection?.getChildren('finding') ?? []
  return {
    kind: 'rejected',
    reason: rejection?.attrs.reason ?? condition?.name ?? 'no reason',
    findings: Number(rejection?.attrs.findings ?? 0),
    first: finding?.text() ?? error?.getChildText('text', STANZA_ERRORS) ?? '',
  }
}

/** The envelope's id and type where the stanza brings a document to a JID. */
export function documentIn(stanza) {
  const via = stanza.is('message') && stanza.attrs.type !== 'error' ? stanza.getChild('via', WAYBILL) : undefined
  return via && { id: via.attrs.id, type: via.attrs.type }
}

/** Node and ids of items where the stanza is the event of a PubSub service. */
export function itemsIn(stanza, service) {
  if (!stanza.is('message') || stanza.attrs.from !== service) return undefined
  const items = stanza.getChild('event', `${PUBSUB}#event`)?.getChild('items')
  return items && { node: items.attrs.node, ids: items.getChildren('item').map((item) => item.attrs.id) }
}

/** Answers a receipt that is asked for (XEP-0184), as an ERP does when it has a document. */
export async function confirmReceipt(receiver, stanza) {
  if (!stanza.is('message') || !stanza.getChild('request', 'urn:xmpp:receipts')) return
  const received = `<received xmlns="urn:xmpp:receipts" id="${stanza.attrs.id}"/>`
  await receiver.write(`<message to="${stanza.attrs.from}">${received}</message>`)
}

/**
 * Subscribes to a node as soon as there is one: Waybill makes nodes when the first document needs them. Gives the ids of
 * the items that were there before the subscription.
 */
export async function subscribe(subscriber, service, node, isOver) {
  for (let attempt = 0; !isOver(); attempt++) {
    const id = `subscribe-${node}-${attempt}`
    const answer = await ask(subscriber, id, 'set', service, `<subscribe node="${node}" jid="${subscriber.jid}"/>`)
    if (answer?.attrs.type === 'result') return itemsOf(subscriber, service, node)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return []
}

async function itemsOf(subscriber, service, node) {
  const answer = await ask(subscriber, `items-${node}`, 'get', service, `<items node="${node}" max_items="20"/>`)
  const items = answer?.getChild('pubsub', PUBSUB)?.getChild('items')
  return items?.getChildren('item').map((item) => item.attrs.id) ?? []
}

async function ask(asker, id, type, to, payload) {
  const answered = asker.next((stanza) => stanza.is('iq') && stanza.attrs.id === id).catch(nothing)
  await asker
    .write(`<iq type="${type}" id="${id}" to="${to}"><pubsub xmlns="${PUBSUB}">${payload}</pubsub></iq>`)
    .catch(nothing)
  return answered
}
