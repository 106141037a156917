import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toElementText } from '../../src/documents/documents.ts'
import { acceptedId, attribute, type Installation, install, rejectedAs } from './waybill.ts'

const CORPORA = resolve(process.env.WAYBILL_CORPORA ?? '../shared/corpora')
const present = existsSync(CORPORA)
if (!present)
  console.warn(`The corpora are not in ${CORPORA}: their tests are left out. WAYBILL_CORPORA names another folder.`)

interface Sample {
  readonly file: string
  readonly schema: string
}

const UBL: Readonly<Record<string, string>> = {
  Invoice: 'Invoice',
  CreditNote: 'CreditNote',
  Order: 'Order',
  OrderResponse: 'OrderResponse',
  DespatchAdvice: 'DespatchAdvice',
}
const CAMT = ['02', '04', '08']

const camtNamespace = (version: string) => `urn:iso:std:iso:20022:tech:xsd:camt.053.001.${version}`
const ublNamespace = (name: string) => `urn:oasis:names:specification:ubl:schema:xsd:${name}-2`

function configuration(): string {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-corpora-'))
  for (const bundle of ['ubl-2.1', 'camt'])
    cpSync(join(CORPORA, bundle), join(folder, 'schemas', bundle), { recursive: true })
  mkdirSync(join(folder, 'types'))
  mkdirSync(join(folder, 'routes'))
  const type = (name: string, root: string, xsd: string) =>
    `kind: DocumentType\nname: ${name}\nidentify: { xml: { root: "${root}" } }\nschema: { xsd: ${xsd} }\nfields: {}\n`
  const types = [
    ...Object.keys(UBL).map((name) =>
      type(name.toLowerCase(), `{${ublNamespace(name)}}${name}`, `ubl-2.1/maindoc/UBL-${name}-2.1.xsd`),
    ),
    ...CAMT.map((version) =>
      type(`camt-${version}`, `{${camtNamespace(version)}}Document`, `camt/camt.053.001.${version}.xsd`),
    ),
  ]
  writeFileSync(join(folder, 'types', 'types.yaml'), types.join('---\n'))
  writeFileSync(
    join(folder, 'routes', 'all.yaml'),
    'kind: Route\nname: all\nowner: tests\nwhen: {}\ndeliver: [{ jid: other.example.test }]\n',
  )
  return folder
}

/** Which schema a sample is for, by its root; undefined for what is no document of these types (a signature, say). */
function schemaOf(text: string): string | undefined {
  const root = /<(?:[\w.-]+:)?([A-Za-z]+)[\s>]/.exec(text.replace(/<\?[\s\S]*?\?>|<!--[\s\S]*?-->/g, ''))?.[1] ?? ''
  if (root in UBL) return join(CORPORA, 'ubl-2.1/maindoc', `UBL-${root}-2.1.xsd`)
  const version = CAMT.find((one) => text.includes(camtNamespace(one)))
  return root === 'Document' && version ? join(CORPORA, 'camt', `camt.053.001.${version}.xsd`) : undefined
}

function samples(): Sample[] {
  if (!present) return []
  const files = ['ubl-2.1/samples', 'en16931/samples', 'camt'].flatMap((folder) =>
    readdirSync(join(CORPORA, folder))
      .filter((name) => name.endsWith('.xml'))
      .map((name) => join(CORPORA, folder, name)),
  )
  return files.flatMap((file) => {
    const schema = schemaOf(readFileSync(file, 'utf8'))
    return schema === undefined ? [] : [{ file, schema }]
  })
}

function verdictOfXmllint(file: string, schema: string): 'valid' | 'invalid' {
  try {
    execFileSync('xmllint', ['--noout', '--nonet', '--schema', schema, file], { stdio: 'ignore' })
    return 'valid'
  } catch {
    return 'invalid'
  }
}

describe.skipIf(!present)('the corpora, through a running Waybill', () => {
  let at: Installation
  let config: string
  beforeAll(async () => {
    config = configuration()
    at = await install({ kind: 'ejabberd', config })
  })
  afterAll(async () => {
    await at?.stop()
    rmSync(config, { recursive: true, force: true })
  })

  const all = samples()
  it('are there', () => expect(all.length).toBeGreaterThan(40))

  const verdict = (answer: string) => {
    if (attribute(answer, 'type') === 'result') return 'valid'
    expect(rejectedAs(answer), answer.slice(0, 2_000)).toBe('invalid')
    return 'invalid'
  }

  it.each(all.map(({ file, schema }) => [basename(file), file, schema]))(
    '%s gets the verdict of xmllint, sealed and in-band',
    async (_, file, schema) => {
      const expected = verdictOfXmllint(file!, schema!)
      const bytes = readFileSync(file!)
      const sealed = await at.submit(
        `<data xmlns='urn:xmpp:bob' type='application/xml'>${bytes.toString('base64')}</data>`,
      )
      expect(verdict(sealed)).toBe(expected)
      if (expected === 'valid') {
        const message = await at.other.next((stanza) => stanza.includes(acceptedId(sealed)), 60_000)
        expect(Buffer.from(/<data\b[^>]*>([^<]*)</.exec(message)![1]!, 'base64').equals(bytes)).toBe(true)
      }
      const inBand = await at.submit(toElementText(bytes)!)
      expect(verdict(inBand)).toBe(expected)
    },
  )
})
