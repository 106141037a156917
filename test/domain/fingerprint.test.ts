import { describe, expect, it } from 'vitest'
import { type Cause, fingerprintOf, normaliseText } from '../../src/domain/fingerprint.ts'
import { processorMs } from '../processor.ts'

const cause: Cause = {
  reason: 'refused',
  condition: 'forbidden',
  destination: 'erp@backend.example',
  route: 'orders',
  type: 'order',
  text: 'You may not',
}

describe('a text without what varies', () => {
  it.each([
    ['', ''],
    ['Nothing varies here', 'Nothing varies here'],
    ['No node 01900000-0000-7000-8000-00000000ABCD here', 'No node <id> here'],
    ['01900000-0000-7000-8000-000000000001.3 is too large', '<id>.<n> is too large'],
    ['The item is 300123 bytes, the limit is 262144', 'The item is <n> bytes, the limit is <n>'],
    ['10.0.0.7:5222 is away since 12:30:01', '<n> is away since <n>'],
    ['nobody@example.test is not there', '<jid> is not there'],
    ['shop+1@a.example/web-17 sent it', '<jid> sent it'],
    ['from <a@b.example> to (c@d.example)', 'from <<jid>> to (<jid>)'],
    ['digest 3f2a90bc77 differs', 'digest <id> differs'],
    ['a facade is no id, nor is deadbeef', 'a facade is no id, nor is deadbeef'],
    ['two  spaces\n and a break ', 'two spaces and a break'],
    ["Unknown field 'pubsub#max_items'", "Unknown field 'pubsub#max_items'"],
  ])('%j is %j', (text, expected) => {
    expect(normaliseText(text)).toBe(expected)
  })

  it('is bounded, and made in time however long and odd the text is', () => {
    const sinceMs = processorMs()
    for (const unit of ['a', '1', 'a@', '@', '0a', '-', ' ', 'é', '01900000-']) {
      expect(normaliseText(unit.repeat(200_000)).length).toBeLessThanOrEqual(300)
    }
    expect(processorMs() - sinceMs).toBeLessThan(2_000)
  })
})

describe('a fingerprint', () => {
  it('is twelve hexadecimal digits that no version changes', () => {
    expect(fingerprintOf(cause)).toMatch(/^[0-9a-f]{12}$/)
    expect(fingerprintOf(cause)).toBe('e0be0e2396a3')
  })

  const same: readonly (readonly [string, Partial<Cause>, Partial<Cause>])[] = [
    ['other numbers', { text: 'waits for 17 s' }, { text: 'waits for 4 s' }],
    ['other people', { text: 'a@x.example is away' }, { text: 'b@y.example/r is away' }],
    [
      'a node for each sensor',
      { destination: 'xmpp:p.example?;node=s/1' },
      { destination: 'xmpp:p.example?;node=s/22' },
    ],
    ['another route to the same destination', { route: 'a' }, { route: 'b' }],
    ['another type by the same destination', { type: 'a' }, { type: 'b' }],
    [
      'other values that make no address',
      { reason: 'address-refused', text: 'x' },
      { reason: 'address-refused', text: 'y' },
    ],
  ]
  it.each(same)('is the same for %s', (_, one, other) => {
    expect(fingerprintOf({ ...cause, ...one })).toBe(fingerprintOf({ ...cause, ...other }))
  })

  const different: readonly (readonly [string, Partial<Cause>])[] = [
    ['reason', { reason: 'tries-exhausted' }],
    ['condition', { condition: 'not-allowed' }],
    ['destination', { destination: 'crm@backend.example' }],
    ['text', { text: 'You must not' }],
  ]
  it.each(different)('differs by %s', (_, change) => {
    expect(fingerprintOf({ ...cause, ...change })).not.toBe(fingerprintOf(cause))
  })

  it('of a document without route differs by its type', () => {
    const unrouted = { ...cause, reason: 'no-route', condition: '', destination: '', route: '', text: '' }
    expect(fingerprintOf(unrouted)).not.toBe(fingerprintOf({ ...unrouted, type: 'invoice' }))
  })

  it('of an address that could not be made differs by route and template', () => {
    const refused = { ...cause, reason: 'address-refused', destination: '{to}@a.example' }
    expect(fingerprintOf(refused)).not.toBe(fingerprintOf({ ...refused, route: 'other' }))
    expect(fingerprintOf(refused)).not.toBe(fingerprintOf({ ...refused, destination: '{cc}@a.example' }))
  })

  it('tells ten thousand causes apart', () => {
    const words = Array.from({ length: 100 }, (_, at) =>
      String.fromCharCode(0x61 + (at % 26), 0x61 + Math.floor(at / 26)),
    )
    const prints = words.flatMap((one) => words.map((two) => fingerprintOf({ ...cause, text: `${one} ${two}` })))
    expect(new Set(prints).size).toBe(10_000)
  })
})
