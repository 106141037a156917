import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { compileDocuments, parseDocumentFile, toElementText } from '../../src/documents/documents.ts'
import type { DocumentType } from '../../src/domain/document-type.ts'
import { inBand, typeOf } from './given.ts'

const CORPORA = resolve(process.env.WAYBILL_CORPORA ?? '../shared/corpora')
const present = existsSync(CORPORA) && spawnSync('xmllint', ['--version']).status === 0
if (!present)
  console.warn(
    `Not there: the corpora in ${CORPORA} (WAYBILL_CORPORA names another folder), or xmllint. Their tests are left out.`,
  )

const limits = { documentBytes: 1_000_000, depth: 64, attributes: 256 }

function schemaType(name: string, root: string, folder: string, file: string): DocumentType {
  const place = { folder: join(CORPORA, folder), file: join(CORPORA, folder, file) }
  const schema = { language: 'xsd', ...place, onInvalid: 'reject', phase: '', place: ['schema', 'xsd'] } as const
  return typeOf(name, { identify: { xml: { root } }, schema })
}

const UBL = ['Invoice', 'CreditNote', 'Order', 'OrderResponse', 'DespatchAdvice']
const types = [
  ...UBL.map((name) =>
    schemaType(
      name,
      `{urn:oasis:names:specification:ubl:schema:xsd:${name}-2}${name}`,
      'ubl-2.1',
      `maindoc/UBL-${name}-2.1.xsd`,
    ),
  ),
  ...['02', '04', '08'].map((version) =>
    schemaType(
      `camt-${version}`,
      `{urn:iso:std:iso:20022:tech:xsd:camt.053.001.${version}}Document`,
      'camt',
      `camt.053.001.${version}.xsd`,
    ),
  ),
]

describe.runIf(present)('verdicts equal xmllint’s', async () => {
  const { documents, problems } = await compileDocuments(present ? types : [], limits)
  const folder = mkdtempSync(join(tmpdir(), 'waybill-corpora-'))
  afterAll(() => {
    documents.dispose()
    rmSync(folder, { recursive: true })
  })

  it('the schemas compile without a word', () => {
    expect(problems).toEqual([])
  })

  it.each(present ? sampleFiles().map((file) => [basename(file), file]) : [])('%s', (_, file) => {
    const bytes = readFileSync(file)
    const parsed = parseDocumentFile(bytes, file, limits)
    if (parsed.kind === 'rejected') throw new Error(parsed.rejection.text)
    const identified = documents.identify(parsed.document)
    if (identified.kind !== 'type') return expect(basename(file)).toBe('UBL-Invoice-2.0-Detached-Signature.xml')
    const { type } = identified
    const expected = xmllint(type.layers[0]!.file, [file])
    const sealedIsValid = documents.validate(parsed.document, type).findings.length === 0
    const element = inBand(documents, toElementText(bytes)!)
    const inBandIsValid = documents.validate(element, type).findings.length === 0
    expect({ sealedIsValid, inBandIsValid }).toEqual({ sealedIsValid: expected[0], inBandIsValid: expected[0] })
  })

  it('on documents that were damaged in one place', () => {
    const file = join(CORPORA, 'ubl-2.1/samples/UBL-Invoice-2.1-Example.xml')
    const type = types[0]!
    const damaged = damage(readFileSync(file, 'utf8'))
    const files = damaged.map((text, at) => {
      const name = join(folder, `damaged-${at}.xml`)
      writeFileSync(name, text)
      return name
    })
    const expected = xmllint(type.layers[0]!.file, files)
    const found = damaged.map((text) => {
      const parsed = parseDocumentFile(Buffer.from(text), 'a.xml', limits)
      return parsed.kind === 'document' && documents.validate(parsed.document, type).findings.length === 0
    })
    expect(found).toEqual(expected)
    expect(expected.filter((valid) => !valid).length).toBeGreaterThan(20)
    expect(expected.filter((valid) => valid).length).toBeGreaterThan(20)
  })
})

function sampleFiles(): readonly string[] {
  return ['ubl-2.1/samples', 'en16931/samples', 'camt'].flatMap((folder) => {
    const names = readdirSync(join(CORPORA, folder)).filter((name) => name.endsWith('.xml'))
    return names.map((name) => join(CORPORA, folder, name))
  })
}

/** For each file whether `xmllint --schema` finds it valid. */
function xmllint(schema: string, files: readonly string[]): readonly boolean[] {
  const { stderr } = spawnSync('xmllint', ['--noout', '--nonet', '--schema', schema, ...files], { encoding: 'utf8' })
  const lines = new Set(stderr.split('\n'))
  return files.map((file) => lines.has(`${file} validates`))
}

/** Every second element that holds text only: with other text, removed, doubled or emptied, in turn. */
function damage(text: string): readonly string[] {
  const leaves = [...text.matchAll(/<(cbc:\w+)([^>]*)>([^<]*)<\/\1>/g)]
  return leaves
    .filter((_, at) => at % 2 === 0)
    .map((leaf, at) => {
      const [whole, name, attributes] = leaf
      const replacement = [`<${name}${attributes}>x1</${name}>`, '', `${whole}${whole}`, `<${name}></${name}>`][at % 4]!
      return text.slice(0, leaf.index) + replacement + text.slice(leaf.index + whole.length)
    })
}
