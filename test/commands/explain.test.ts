import { describe, expect, it } from 'vitest'
import { runCommand } from '../../src/commands/program.ts'
import { describeTrace } from '../../src/commands/trace.ts'
import type { EnvelopeTrace } from '../../src/flow/ports.ts'
import { withFolder } from '../config/folder.ts'
import { WAYBILL } from './given.ts'

const INVOICE = (version: string, more = '') => `kind: DocumentType
name: invoice
version: "${version}"
identify: { xml: { root: invoice, match: { /invoice/@version: "${version}" } } }
schema: none
fields: { country: { xpath: /invoice/country } }
${more}`

const ROUTES = `kind: Route
name: by-country
owner: tests
when: { type: invoice, version: "2.0" }
deliver: [{ jid: "{country}@example.org", allow: "[a-z]{2}@example.org" }]
`

const FILES = {
  'waybill.yaml': WAYBILL,
  'types/invoice.yaml': `${INVOICE('2.0', 'deprecated: send 2.1\n')}---\n${INVOICE('2.1')}`,
  'types/note.yaml': 'kind: DocumentType\nname: note\nidentify: { xml: { root: note } }\nschema: none\n',
  'routes/by-country.yaml': ROUTES,
}

async function explain(document: string, ...words: string[]) {
  return withFolder({ ...FILES, 'document.xml': document }, async (folder) => {
    const said: string[] = []
    const say = (text: string) => void said.push(text)
    const operands = [folder, `${folder}/document.xml`, '--from', 'a@example.org']
    const code = await runCommand(['explain', ...operands, ...words], { out: say, err: say })
    return { code, said: said.join('') }
  })
}

describe('explain', () => {
  it.each([
    [
      'of a version that will be gone',
      '<invoice version="2.0"/>',
      'type      invoice\nversion   2.0, deprecated: send 2.1\n',
    ],
    ['of another version', '<invoice version="2.1"/>', 'type      invoice\nversion   2.1\n'],
    ['of a type without versions', '<note/>', 'type      note\n\n'],
  ])('tells of which version a document is: %s', async (_, document, says) => {
    expect((await explain(document)).said).toContain(says)
  })

  it('tells the version to programs too', async () => {
    const { said } = await explain('<invoice version="2.0"/>', '-o', 'json')
    expect(JSON.parse(said)).toMatchObject({ type: 'invoice', version: '2.0', deprecated: 'send 2.1' })
    const none = await explain('<note/>', '-o', 'json')
    expect(JSON.parse(none.said)).toMatchObject({ type: 'note', version: null, deprecated: null })
  })

  it.each([
    [
      'a route matched, but its address is refused',
      '<invoice version="2.0"><country>DEU</country></invoice>',
      /^delivers to nobody: each refused address would become a dead letter\n {2}refused: .* allow$/m,
    ],
    ['no route matched', '<note/>', /^no route: it would become a dead letter$/m],
    [
      'a destination is reached',
      '<invoice version="2.0"><country>de</country></invoice>',
      /^delivers to\n {2}de@example\.org {2}\(by-country\)$/m,
    ],
  ])('tells what becomes of a document where %s', async (_, document, says) => {
    expect((await explain(document)).said).toMatch(says)
  })
})

describe('what a document says', () => {
  it.each([
    ['a sequence that clears the screen', '\u009b2J', 'country = \\u{9b}2J\n'],
    ['a line that is written over', 'de&#13;fr', 'country = de\\u{d}fr\n'],
    ['a text that is turned around', '\u202egro.live', 'country = \\u{202e}gro.live\n'],
    ['letters, joined signs and lines of its own', 'Ω 👩\u200d🌾\n\té', 'country = Ω 👩\u200d🌾\n\té\n'],
  ])('steers no terminal: %s', async (_, country, shown) => {
    const { said } = await explain(`<invoice version="2.1"><country>${country}</country></invoice>`)
    expect(said).toContain(shown)
  })

  it('is for programs as it is', async () => {
    const { said } = await explain('<invoice version="2.1"><country>\u009b2J</country></invoice>', '-o', 'json')
    expect(JSON.parse(said).fields.country).toEqual(['\u009b2J'])
  })
})

describe('trace', () => {
  const seen = {
    ...{ id: '01890a5d-ac96-774b-bcce-b302099a8057', state: 'delivered', deliveries: [], fields: {} },
    ...{ type: 'invoice', rootName: 'invoice', bytes: 10, form: 'element', receivedAtMs: 0 },
    origin: { from: 'a@example.org', stanza: 'iq', stanzaId: '' },
  } as unknown as EnvelopeTrace

  it.each([
    ['2.1', 'invoice 2.1, invoice, 10 bytes'],
    [undefined, 'invoice, invoice, 10 bytes'],
  ])('tells the version %s that a document was taken as', (version, says) => {
    expect(describeTrace({ ...seen, ...(version !== undefined && { version }) })).toContain(says)
  })
})
