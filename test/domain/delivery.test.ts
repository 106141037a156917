import { describe, expect, it } from 'vitest'
import {
  type Destination,
  deliveryId,
  destinationName,
  parseDeliveryId,
  parseDestination,
} from '../../src/domain/delivery.ts'
import { normaliseJid } from '../../src/domain/jid.ts'

const destinations: readonly (readonly [name: string, destination: Destination])[] = [
  ['erp@backend.example.org', { kind: 'jid', jid: 'erp@backend.example.org' }],
  ['backend.example.org', { kind: 'jid', jid: 'backend.example.org' }],
  ['erp@backend.example.org/desk', { kind: 'jid', jid: 'erp@backend.example.org/desk' }],
  ['erp@b.example/?;node=x', { kind: 'jid', jid: 'erp@b.example/?;node=x' }],
  ['xmpp@b.example/?;node=x', { kind: 'jid', jid: 'xmpp@b.example/?;node=x' }],
  ['xmpp:p.example?;node=invoices/EUR', { kind: 'node', service: 'p.example', node: 'invoices/EUR' }],
  ['xmpp:p.example?;node=', { kind: 'node', service: 'p.example', node: '' }],
  ['xmpp:p.example?;node=a?;node=b', { kind: 'node', service: 'p.example', node: 'a?;node=b' }],
  ['xmpp:p.example?;node=a%2Fb ü\n', { kind: 'node', service: 'p.example', node: 'a%2Fb ü\n' }],
  ['xmpp:u@p.example/r?;node=n', { kind: 'node', service: 'u@p.example/r', node: 'n' }],
  ['xmpp:[::1]?;node=n', { kind: 'node', service: '[::1]', node: 'n' }],
]

describe('a destination', () => {
  it.each(destinations)('%j is written and read the same way', (name, destination) => {
    expect(destinationName(destination)).toBe(name)
    expect(parseDestination(name)).toEqual(destination)
  })

  it('is a node or a JID, never both: no JID is written like a node', () => {
    for (const [name, { kind }] of destinations) expect(normaliseJid(name) !== undefined).toBe(kind === 'jid')
  })

  it.each(['xmpp:p.example', 'xmpp:p.example?node=x', 'XMPP:p.example?;node=x', ' xmpp:p.example?;node=x'])(
    '%j is not written like a node',
    (text) => expect(parseDestination(text)).toEqual({ kind: 'jid', jid: text }),
  )
})

describe('a delivery id', () => {
  const envelopeId = '018f8e6a-7c3b-7def-8123-456789abcdef'

  it.each([0, 1, 999, 100_000])('with index %i is written and read the same way', (index) => {
    expect(deliveryId(envelopeId, index)).toBe(`${envelopeId}.${index}`)
    expect(parseDeliveryId(deliveryId(envelopeId, index))).toEqual({ envelopeId, index })
  })

  it('may be that of an envelope alone', () => {
    expect(parseDeliveryId(envelopeId)).toEqual({ envelopeId, index: undefined })
  })

  it.each([
    `${envelopeId}.`,
    `${envelopeId}.x`,
    `${envelopeId}.-1`,
    `${envelopeId}.1.5`,
    `${envelopeId}.1e3`,
    `${envelopeId}. 1`,
    `${envelopeId}.01`,
  ])('%s names no delivery, and not its envelope either', (id) =>
    expect(parseDeliveryId(id)).toEqual({ envelopeId: id, index: undefined }),
  )
})
