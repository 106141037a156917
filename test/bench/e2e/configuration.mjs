import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SCHEMAS = fileURLToPath(new URL('../config', import.meta.url))

/** Where the documents go: `dest-0` to `dest-30`. The receiver tells them apart by this word, which occurs nowhere else. */
export const DESTINATION = 'dest-'
/** The domain at which everything is received. */
export const RECEIVER = 'other.example.test'
const NODE_OPTIONS = {
  // Of several domains the first to publish makes the node.
  node: '{ access_model: open, publish_model: open, max_items: 20 }',
  'passing-node': '{ access_model: open, publish_model: open, persist_items: false }',
}

/**
 * A configuration folder of Waybill. One route matches, and owns all destinations; the others ask for what no order has.
 *
 * @param {string} folder to be made
 * @param {{
 *   entries: readonly { domain: string, port: number, secret: string }[], host: string, pubsub: string, redisUrl: string,
 *   fanOut: number, to: import('./cells.mjs').Situation['to'], variant: import('./cells.mjs').Variant, more?: string | undefined
 * }} given `entries`: of all its domains, with one port and one secret; `more`: further YAML documents
 */
export function writeConfiguration(folder, { entries, host, pubsub, redisUrl, fanOut, to, variant, more = '' }) {
  mkdirSync(folder)
  cpSync(SCHEMAS, folder, { recursive: true })
  const [{ domain, port, secret }, ...further] = entries
  const domains = further.map((entry) => entry.domain)
  const settings = {
    xmpp: { service: `xmpp://127.0.0.1:${port}`, domain, ...(domains.length > 0 && { domains }), host, secret },
    redis: { url: redisUrl, prefix: domain, durability: variant.durability },
    http: { listen: '127.0.0.1:0' },
    senders: ['*@peer.example.test'],
    // The benchmark measures work, so no limit may speak before the machine does.
    limits: {
      waiting: 5_000_000,
      waitingBytes: 2 ** 36,
      perSender: { perMinute: 100_000_000, waiting: 5_000_000 },
    },
    load: ['types.yaml', 'routes.yaml'],
  }
  // JSON is YAML.
  writeFileSync(join(folder, 'waybill.yaml'), JSON.stringify(settings, null, 2))
  writeFileSync(join(folder, 'types.yaml'), `${typeOf(variant.schema)}${more}`)
  writeFileSync(join(folder, 'routes.yaml'), routesOf({ count: variant.routes, domain, pubsub, fanOut, to }))
}

/** @param {'xsd' | 'schematron'} schema */
function typeOf(schema) {
  return `kind: DocumentType
name: order
identify: { xml: { root: "{urn:example:order:1}order" } }
namespaces: { o: "urn:example:order:1" }
schema: { xsd: order/order.xsd${schema === 'schematron' ? ', schematron: rules/order.sch' : ''} }
fields:
  currency: { xpath: "/o:order/o:currency" }
  seller: { xpath: "/o:order/o:seller/o:name" }
  total: { xpath: "/o:order/o:total", as: number }
`
}

/** @param {{ count: number, domain: string, pubsub: string, fanOut: number, to: import('./cells.mjs').Situation['to'] }} given */
function routesOf({ count, domain, pubsub, fanOut, to }) {
  const deliver = destinationsOf(domain, fanOut).map(({ jid, node }) =>
    to === 'jid' ? `  - { jid: ${jid} }` : `  - { pubsub: ${pubsub}, node: "${node}", create: ${NODE_OPTIONS[to]} }`,
  )
  const all = [`when: { type: order, fields: { currency: [EUR, GBP, USD] } }\ndeliver:\n${deliver.join('\n')}`]
  for (let n = 1; n < count; n += 1) all.push(`${whenOf(n)}\ndeliver: [{ jid: nobody@${RECEIVER} }]`)
  return all.map((route, n) => `kind: Route\nname: route-${n}\nowner: bench\n${route}\n`).join('---\n')
}

/** An equal value, an equal value by XPath, a range: three, one and one of five. @param {number} n */
function whenOf(n) {
  if (n % 5 === 3) return `when: { type: order, xpath: "/o:order/o:buyer/o:zip = 'Z-${n}'" }`
  if (n % 5 === 4) return `when: { type: order, fields: { total: [{ ">=": ${10_000_000 + n} }] } }`
  return `when: { type: order, fields: { seller: ["Nobody Trading ${n}"] } }`
}

/**
 * @param {string} domain of the peer, whose nodes are its own
 * @param {number} fanOut
 */
export function destinationsOf(domain, fanOut) {
  return Array.from({ length: fanOut }, (_, n) => ({
    jid: `${DESTINATION}${n}@${RECEIVER}`,
    node: `${domain}/${DESTINATION}${n}`,
  }))
}
