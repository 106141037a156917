import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { compileXmlSchema } from '../../../src/documents/xml-schema.ts'
import type { SchemaSource } from '../../../src/domain/document-type.ts'
import { afterwards } from '../../afterwards.ts'

/** Files of a schema, in a folder of their own; the first is where it begins. */
export function sourceOf(language: SchemaSource['language'], files: Readonly<Record<string, string>>): SchemaSource {
  const own = mkdtempSync(join(tmpdir(), 'waybill-evolution-'))
  afterwards(() => rmSync(own, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(own, name)), { recursive: true })
    writeFileSync(join(own, name), text)
  }
  return { language, folder: own, file: join(own, Object.keys(files)[0]!) }
}

export const XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'

/** A text is the content of one schema without namespace; otherwise whole files by name. */
export type SchemaText = string | Readonly<Record<string, string>>

export function xsdSource(text: SchemaText): SchemaSource {
  return sourceOf('xsd', typeof text === 'string' ? { 'a.xsd': `<xs:schema ${XS}>${text}</xs:schema>` } : text)
}

const xmllint = spawnSync('xmllint', ['--version']).status === 0

/** Whether the validators accept a document: the library, and xmllint where it is installed. */
export function isAccepted(source: SchemaSource, document: string): boolean {
  const language = source.language === 'rng' ? 'rng' : 'xsd'
  const { schema } = compileXmlSchema({ ...source, language })
  if (!schema) throw new Error(`${source.file} is no schema`)
  const accepted = schema.refusalOf(Buffer.from(document)) === undefined
  schema.dispose()
  if (xmllint && !source.file.endsWith('.rnc')) {
    const option = language === 'xsd' ? '--schema' : '--relaxng'
    const { status } = spawnSync('xmllint', ['--noout', '--nonet', option, source.file, '-'], { input: document })
    expect(status === 0, `xmllint on ${document}`).toBe(accepted)
  }
  return accepted
}
