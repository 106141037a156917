import { describe, expect, it } from 'vitest'
import type { DocumentType, SchemaLayer } from '../../src/domain/document-type.ts'
import { type Description, discoInfo, discoItems } from '../../src/xmpp/disco.ts'
import { meaning, stanza } from './stanza.ts'

const base = {
  version: '',
  families: [],
  deprecated: undefined,
  namespaces: {},
  senders: undefined,
  fields: {},
  key: undefined,
  onInvalid: 'reject',
} as const
const layer = (language: SchemaLayer['language'], file: string): SchemaLayer => {
  return { language, file, folder: '/s', onInvalid: 'reject', phase: '', place: ['schema', language] }
}
const types: readonly DocumentType[] = [
  {
    ...base,
    name: 'invoice',
    identify: { xml: { root: '{urn:example:invoice}Invoice' } },
    layers: [layer('xsd', '/s/invoice.xsd'), layer('schematron', '/s/rules.sch')],
  },
  { ...base, name: 'reading', identify: { json: { datatype: 'urn:example:reading' } }, layers: [] },
]
const description: Description = { version: '1', types, limits: { documentBytes: 190000, depth: 64, attributes: 256 } }
const query = (kind: string, node?: string) =>
  stanza(`<query xmlns='http://jabber.org/protocol/disco#${kind}'${node === undefined ? '' : ` node='${node}'`}/>`)

describe('disco#info', () => {
  it('tells identity, features and limits', () => {
    const answer = discoInfo(query('info'), description)!
    expect(answer).toContain('<identity category="component" type="generic" name="Waybill"/>')
    for (const feature of [
      'http://jabber.org/protocol/disco#info',
      'http://jabber.org/protocol/disco#items',
      'http://jabber.org/protocol/pubsub#publish',
      'urn:xmpp:ping',
      'jabber:iq:version',
      'urn:xmpp:receipts',
      'urn:waybill:0',
      'urn:xmpp:bob',
      'urn:xmpp:json:0',
      'urn:xmpp:json-msg:0',
      'urn:xmpp:json-msg:0#urn:example:reading',
    ]) {
      expect(answer, feature).toContain(`<feature var="${feature}"/>`)
    }
    expect(answer).toContain(
      '<x xmlns="jabber:x:data" type="result"><field var="FORM_TYPE" type="hidden"><value>urn:waybill:0</value></field>' +
        '<field var="max-document-bytes"><value>190000</value></field><field var="max-depth"><value>64</value></field>',
    )
  })

  it('describes a document type', () => {
    expect(meaning(discoInfo(query('info', 'types/invoice'), description)!)).toEqual(
      meaning(
        `<query xmlns='http://jabber.org/protocol/disco#info' node='types/invoice'><identity category='hierarchy' type='leaf' name='invoice'/>` +
          `<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>urn:waybill:0#type</value></field><field var='name'><value>invoice</value></field>` +
          `<field var='root'><value>{urn:example:invoice}Invoice</value></field><field var='schema'><value>xsd schematron</value></field></x></query>`,
      ),
    )
  })

  it.each(['x', 'types/', 'types/nothing', 'Types', 'types/invoice/more'])('knows no node %s', (node) => {
    expect(discoInfo(query('info', node), description)).toBeUndefined()
    expect(discoItems(query('items', node), 'w', description)).toBeUndefined()
  })
})

describe('disco#items', () => {
  it('leads to the document types, under the address that was asked', () => {
    expect(discoItems(query('items'), 'x@w', description)).toBe(
      '<query xmlns="http://jabber.org/protocol/disco#items"><item jid="x@w" node="types" name="Document types"/></query>',
    )
    expect(discoItems(query('items', 'types'), 'w', description)).toBe(
      '<query xmlns="http://jabber.org/protocol/disco#items" node="types">' +
        '<item jid="w" node="types/invoice" name="invoice"/><item jid="w" node="types/reading" name="reading"/></query>',
    )
    expect(discoItems(query('items', 'types/invoice'), 'w', description)).toBe(
      '<query xmlns="http://jabber.org/protocol/disco#items" node="types/invoice"></query>',
    )
  })

  it('shows a reload', () => {
    expect(discoItems(query('items', 'types'), 'w', { ...description, types: types.slice(1) })).not.toContain('invoice')
  })
})
