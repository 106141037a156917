/**
 * What the demo sends, and what is declared to come of it. `npm start -- --exit` succeeds only if each document has just
 * that outcome.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/**
 * @typedef {object} DemoDocument
 * @property {string} what for people
 * @property {'backend' | 'sensor' | 'operator'} from
 * @property {'iq' | 'message' | 'publish'} by
 * @property {string} [way] how it is carried, where that is not plain
 * @property {(id: string, to: string) => string} stanza
 * @property {string} id the stanza's id
 * @property {Outcome} expected
 */

/**
 * Accepted: as which type, where it is seen to arrive, and where its delivery is given up.
 * Rejected: for which reason, and with how many findings at least.
 * @typedef {{ accepted: string, at?: string[], givenUpAt?: string[], duplicate?: true }
 *   | { rejected: string, findings?: number }} Outcome
 */

const sample = (name) => readFileSync(new URL(`./config/samples/${name}`, import.meta.url), 'utf8').trim()

/**
 * @param {string} run tells the documents of one run from those of another: their numbers must differ
 * @returns {DemoDocument[]}
 */
export function demoDocuments(run) {
  const numbered = (name, number) => sample(name).replace(/(<(?:inv:)?Number>)[^<]*/, `$1${number}-${run}`)
  const order = numbered('order-de.xml', 'A')
  const invoice = numbered('invoice-eur.xml', 'R')
  const reading = sample('telemetry.json')
  const entry = sample('news.xml')

  const documents = [
    {
      what: 'order from Germany',
      from: 'backend',
      ...iq(order),
      expected: { accepted: 'order', at: ['erp', 'node orders/DE'] },
    },
    {
      what: 'the same order again',
      from: 'backend',
      ...iq(order),
      again: true,
      expected: { accepted: 'order', duplicate: true },
    },
    {
      what: 'large order from France',
      from: 'backend',
      ...message(numbered('order-large.xml', 'B')),
      expected: { accepted: 'order', at: ['erp', 'node orders/FR', 'operator'] },
    },
    {
      what: 'order for delivery within a day',
      from: 'backend',
      ...iq(`<submit xmlns="urn:waybill:0" expires="P1D">${numbered('order-de.xml', 'C')}</submit>`),
      way: 'wrapped',
      expected: { accepted: 'order', at: ['erp', 'node orders/DE'] },
    },
    {
      what: 'express order, no courier there',
      from: 'backend',
      ...iq(sealed(numbered('order-express.xml', 'D'))),
      way: 'sealed',
      expected: { accepted: 'order', at: ['erp', 'node orders/AT'], givenUpAt: ['courier'] },
    },
    {
      what: 'order with four mistakes',
      from: 'backend',
      ...iq(numbered('order-invalid.xml', 'E')),
      expected: { rejected: 'invalid', findings: 4 },
    },
    {
      what: 'order with a mistake, in a message',
      from: 'backend',
      ...message(order.replace('<Quantity>4<', '<Quantity>four<')),
      expected: { rejected: 'invalid', findings: 1 },
    },
    {
      what: 'order from the operator',
      from: 'operator',
      ...iq(numbered('order-de.xml', 'F')),
      expected: { rejected: 'not-allowed' },
    },
    {
      what: 'invoice over 3985 EUR',
      from: 'backend',
      ...publish('invoices', invoice),
      expected: { accepted: 'invoice', at: ['erp', 'node invoices/EUR'] },
    },
    {
      what: 'invoice in USD',
      from: 'backend',
      ...iq(sealed(numbered('invoice-usd.xml', 'S'))),
      way: 'sealed',
      expected: { accepted: 'invoice', at: ['node invoices/other'] },
    },
    {
      what: 'another invoice of the same number',
      from: 'backend',
      ...iq(invoice.replace('>3985.00<', '>9985.00<')),
      expected: { rejected: 'key-conflict' },
    },
    {
      what: 'invoice without a total',
      from: 'backend',
      ...publish('invoices', invoice.replace(/<inv:Total.*<\/inv:Total>/, '')),
      expected: { rejected: 'invalid', findings: 1 },
    },
    {
      what: 'quotation: no such document type',
      from: 'backend',
      ...iq('<Quotation xmlns="urn:example:quotation:1"><Number>Q-1</Number></Quotation>'),
      expected: { rejected: 'unknown-type' },
    },
    {
      what: 'chat without a document',
      from: 'backend',
      ...message('<body>Did my order arrive?</body>'),
      expected: { rejected: 'no-document' },
    },
    {
      what: 'order with a DOCTYPE',
      from: 'backend',
      ...iq(sealed(`<!DOCTYPE Order [<!ENTITY e SYSTEM "file:///etc/passwd">]>\n${order}`)),
      way: 'sealed',
      expected: { rejected: 'forbidden-xml' },
    },
    {
      what: 'order of 70 KB, the limit is 60',
      from: 'backend',
      ...iq(sealed(order.replace('Valve, DN 50', 'x'.repeat(70_000)))),
      way: 'sealed',
      expected: { rejected: 'too-large' },
    },
    {
      what: 'news: a new product',
      from: 'backend',
      ...publish('news', entry),
      expected: { accepted: 'news', at: ['node news'] },
    },
    {
      what: 'news nobody has a route for',
      from: 'backend',
      ...iq(entry.replace('term="product"', 'term="gossip"')),
      expected: { accepted: 'news' },
    },
    {
      what: 'news without a title',
      from: 'operator',
      ...iq(entry.replace(/<title>.*<\/title>/, '')),
      expected: { rejected: 'invalid', findings: 1 },
    },
    {
      what: 'reading of 64.2 degrees',
      from: 'sensor',
      ...message(json(reading)),
      way: 'JSON',
      expected: { accepted: 'telemetry', at: ['node telemetry/plant-1'] },
    },
    {
      what: 'reading of 93.5 degrees',
      from: 'sensor',
      ...message(
        `<payload xmlns="urn:xmpp:json-msg:0" datatype="urn:example:telemetry:1">${json(sample('telemetry-hot.json'))}</payload>`,
      ),
      way: 'JSON',
      expected: { accepted: 'telemetry', at: ['node telemetry/plant-1', 'operator'] },
    },
    {
      what: 'reading without a sensor, too cold',
      from: 'sensor',
      ...iq(sealed(reading.replace('"sensor": "boiler-7",', '').replace('64.2', '-400'), 'application/json')),
      way: 'JSON, sealed',
      expected: { rejected: 'invalid', findings: 2 },
    },
    {
      what: 'reading that is no JSON',
      from: 'sensor',
      ...message(json(reading.slice(0, -1))),
      way: 'JSON',
      expected: { rejected: 'malformed' },
    },
    {
      what: 'picture of a camera',
      from: 'sensor',
      ...iq(sealed(Buffer.from(PICTURE, 'base64'), 'image/png')),
      way: 'sealed',
      expected: { accepted: 'opaque', at: ['operator'] },
    },
  ]
  return documents.map((document, index) => ({ ...document, id: `demo-${run}-${document.again ? index - 1 : index}` }))
}

// One red pixel.
const PICTURE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8Dwn4EIAAAZ9QQBAhKxWwAAAABJRU5ErkJggg=='

function iq(payload) {
  return { by: 'iq', stanza: (id, to) => `<iq type="set" id="${id}" to="${to}">${payload}</iq>` }
}

/** With a receipt asked for (XEP-0184): that is how a message is acknowledged. */
function message(payload) {
  const request = '<request xmlns="urn:xmpp:receipts"/>'
  return { by: 'message', stanza: (id, to) => `<message id="${id}" to="${to}">${payload}${request}</message>` }
}

/** XEP-0060 7.1, to Waybill's own JID. */
function publish(node, payload) {
  const pubsub = (id) =>
    `<pubsub xmlns="http://jabber.org/protocol/pubsub"><publish node="${node}"><item id="${id}-item">${payload}</item></publish></pubsub>`
  return { by: 'publish', stanza: (id, to) => `<iq type="set" id="${id}" to="${to}">${pubsub(id)}</iq>` }
}

/** XEP-0231: the bytes as they are. */
function sealed(bytes, mediaType = 'application/xml') {
  const buffer = Buffer.from(bytes)
  const cid = `sha256+${createHash('sha256').update(buffer).digest('hex')}@bob.xmpp.org`
  return `<data xmlns="urn:xmpp:bob" type="${mediaType}" cid="${cid}">${buffer.toString('base64')}</data>`
}

/** XEP-0335. */
function json(text) {
  return `<json xmlns="urn:xmpp:json:0">${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</json>`
}
