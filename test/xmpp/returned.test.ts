import { describe, expect, it } from 'vitest'
import { attributeOf } from '../../src/domain/element.ts'
import { asReturned } from '../../src/xmpp/returned.ts'
import { child } from './stream-text.ts'

const ERROR = `<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`

const addressesOf = (xml: string) => {
  const stanza = asReturned(child(xml), 'waybill.example.test')
  return { from: attributeOf(stanza, 'from'), to: attributeOf(stanza, 'to') }
}

describe('a stanza that came back', () => {
  const table: readonly { what: string; tag: string; from: string | undefined; to: string | undefined }[] = [
    {
      what: 'with the addresses that we gave it comes from whom it was for',
      tag: `message type='error' from='waybill.example.test' to='desk@other.example.test/iq'`,
      from: 'desk@other.example.test/iq',
      to: 'waybill.example.test',
    },
    {
      what: 'that went out from a resource of ours comes back to that',
      tag: `message type='error' from='WAYBILL.example.test/orders' to='other.example.test'`,
      from: 'other.example.test',
      to: 'WAYBILL.example.test/orders',
    },
    {
      what: 'from whom it was for is as it came',
      tag: `message type='error' from='other.example.test' to='waybill.example.test'`,
      from: 'other.example.test',
      to: 'waybill.example.test',
    },
    {
      what: 'from us to us is as it came',
      tag: `message type='error' from='waybill.example.test/a' to='waybill.example.test/b'`,
      from: 'waybill.example.test/a',
      to: 'waybill.example.test/b',
    },
    {
      what: 'from us, to nobody, is to us',
      tag: `message type='error' from='waybill.example.test'`,
      from: 'waybill.example.test',
      to: undefined,
    },
    {
      what: 'that is no error is as it came, whoever it names',
      tag: `message from='waybill.example.test' to='other.example.test'`,
      from: 'waybill.example.test',
      to: 'other.example.test',
    },
    {
      what: 'from a user of another domain, to another one, is as it came',
      tag: `message type='error' from='a@peer.example.test' to='other.example.test'`,
      from: 'a@peer.example.test',
      to: 'other.example.test',
    },
  ]
  it.each(table)('$what', ({ tag, from, to }) => {
    expect(addressesOf(`<${tag}>${ERROR}</message>`)).toEqual({ from, to })
  })
})
