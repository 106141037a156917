/** The ways that documents can go: a route and a destination each, chosen by the values of the field `to`. */
import { destinationName } from '../../src/domain/delivery.ts'

export const PUBSUB = 'pubsub.example.test'
export const RECEIVERS = 'other.example.test'
export const SOURCE_NODE = 'in'
/** Nodes that are deleted in the run are created again by Waybill, once each. */
export const FRESH_NODES = 5

interface Way {
  /** The entry under `deliver`. */
  readonly deliver: Readonly<Record<string, unknown>>
  /** The destination's name; of the fresh nodes, by the document's number of one. */
  readonly destination: (fresh: number) => string
  readonly order?: 'sender' | 'key'
  readonly expires?: string
  readonly priority?: number
}

const jid = (local: string, options: Readonly<Record<string, unknown>> = {}, resource = ''): Way => {
  const address = `${local}@${RECEIVERS}${resource}`
  return { deliver: { jid: address, retry: 'stubborn', ...options }, destination: () => address }
}

const node = (name: string, options: Readonly<Record<string, unknown>> = {}): Way => ({
  deliver: { pubsub: PUBSUB, node: `out/${name}`, confirmTimeout: '5s', retry: 'stubborn', ...options },
  destination: () => destinationName({ kind: 'node', service: PUBSUB, node: `out/${name}` }),
})

const IQ = { confirm: 'iq', confirmTimeout: '2s' }
const RECEIPT = { confirm: 'receipt', confirmTimeout: '2s' }

export const WAYS = {
  plain: jid('plain'),
  sealed: jid('sealed', { as: 'sealed' }),
  urgent: { ...jid('urgent'), priority: 10 },
  lane: { ...jid('lane'), order: 'sender' },
  keyed: { ...jid('keyed'), order: 'key' },
  desk: { ...jid('desk', IQ, '/iq'), order: 'key' },
  counter: jid('counter', IQ, '/iq'),
  receipts: { ...jid('receipts', RECEIPT), order: 'sender' },
  fickle: { ...jid('fickle'), order: 'key' },
  brief: { ...jid('brief', IQ, '/iq'), expires: '5s' },
  meek: jid('meek', { ...IQ, retry: 'meek' }, '/iq'),
  board: node('board'),
  rows: { ...node('rows'), order: 'sender' },
  columns: { ...node('columns'), order: 'key' },
  guarded: node('guarded'),
  strict: node('strict', { retry: 'meek' }),
  fresh: {
    deliver: {
      ...node('').deliver,
      node: 'out/fresh-{fresh}',
      allow: 'out/fresh-[0-9]',
      create: { max_items: 16, access_model: 'open', persist_items: true },
    },
    destination: (fresh) => destinationName({ kind: 'node', service: PUBSUB, node: `out/fresh-${fresh}` }),
  },
} as const satisfies Readonly<Record<string, Way>>

export type WayName = keyof typeof WAYS
export const WAY_NAMES = Object.keys(WAYS) as readonly WayName[]

/** Nodes that refuse Waybill for a while, which stays their owner otherwise. */
export const REFUSING_NODES = ['out/rows', 'out/guarded', 'out/strict']
export const FIXED_NODES = ['out/board', 'out/columns', ...REFUSING_NODES]
export const freshNode = (fresh: number) => `out/fresh-${fresh}`

/** The route and policy files of the run. */
export function routesAndPolicies(): readonly object[] {
  const routes = Object.entries(WAYS as Readonly<Record<string, Way>>).map(([name, way]) => ({
    kind: 'Route',
    name,
    owner: 'chaos',
    when: { type: 'parcel', fields: { to: [name] } },
    deliver: [way.deliver],
    ...(way.order && { order: { by: way.order } }),
    ...(way.expires && { expires: way.expires }),
    ...(way.priority && { priority: way.priority }),
  }))
  const backoff = { first: '200ms', factor: 2, max: '2s', jitter: 0.2 }
  // biome-ignore lint/suspicious/noThenProperty: it is a key of the configuration, and nobody awaits it.
  const answers = ['forbidden', 'item-not-found'].map((condition) => ({ condition, then: 'retry' }))
  return [
    ...routes,
    { kind: 'Policy', name: 'stubborn', deliveries: 1_000, backoff, giveUpAfter: '1h', answers },
    { kind: 'Policy', name: 'meek', deliveries: 3, backoff, giveUpAfter: '1h' },
  ]
}

export const DOCUMENT_TYPE = {
  kind: 'DocumentType',
  name: 'parcel',
  identify: { xml: { root: '{urn:example:parcel}parcel' } },
  namespaces: { p: 'urn:example:parcel' },
  schema: { xsd: 'parcel.xsd' },
  fields: {
    number: { xpath: '/p:parcel/p:number' },
    key: { xpath: '/p:parcel/p:key' },
    fresh: { xpath: '/p:parcel/p:fresh' },
    to: { xpath: '/p:parcel/p:to' },
  },
}

export const SCHEMA = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:example:parcel" elementFormDefault="qualified">
  <xs:element name="parcel">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="number" type="xs:string"/>
        <xs:element name="key" type="xs:string"/>
        <xs:element name="fresh" type="xs:string"/>
        <xs:element name="to" type="xs:string" maxOccurs="unbounded"/>
        <xs:element name="text" type="xs:string"/>
      </xs:sequence>
    </xs:complexType>
  </xs:element>
</xs:schema>
`
