import { readFileSync } from 'node:fs'
import type { SchemaSource } from '../../domain/document-type.ts'
import { readSchemaFiles } from '../schema-files.ts'
import { compareJson } from './compare-json.ts'
import { compareXsd } from './compare-xsd.ts'
import { NotComparable } from './not-comparable.ts'
import type { Verdict } from './verdict.ts'

/** Languages in which a document's form is said; Schematron's rules are never compared. */
export type ComparedLanguage = 'xsd' | 'rng' | 'json'

export interface CompareSchemasOptions {
  /** Roots of the documents, `{namespace}name`: all elements that the old version declares globally where none are given. Of XML only. */
  readonly roots?: readonly string[]
  /** How long the comparison may take, and then the search for a witness; 20 seconds each where it isn't given. */
  readonly budgetMs?: number
}

/**
 * Whether every document that `old` accepts is accepted by `next`: the question of backward compatibility. With the two
 * exchanged it is that of forward compatibility. *Compatible* is proven, *incompatible* is shown by a document on which the
 * validators themselves differ, and everything else is *unknown*.
 *
 * Documents whose `xsi:type` names a built-in type, the declared type itself, or anything on an element of any type are not looked at.
 *
 * @throws {NotComparable} Where one of the schemas is wrong, or they are in different languages.
 */
export function compareSchemas(
  old: SchemaSource,
  next: SchemaSource,
  { roots, budgetMs = 20_000 }: CompareSchemasOptions = {},
): Verdict {
  const { language } = old
  const other = next.language
  if (language !== other) throw differentLanguages(language, other, next)
  switch (language) {
    case 'xsd':
      return compareXsd(old, next, { roots, budgetMs })
    case 'json':
      return compareJson(old, next, budgetMs)
    case 'rng':
      if (isSameText(old, next)) return { kind: 'compatible' }
      return {
        kind: 'unknown',
        reasons: [{ path: '', message: `versions in this language are not compared: ${language}`, old: '', new: '' }],
      }
    case 'schematron':
      return { kind: 'unknown', reasons: [{ path: '', message: 'rules are not compared', old: '', new: '' }] }
  }
}

function differentLanguages(
  one: SchemaSource['language'],
  other: SchemaSource['language'],
  { file }: SchemaSource,
): NotComparable {
  const message = `Cannot compare the schemas: the old one is ${NAMES[one]}, the new one ${NAMES[other]}`
  return new NotComparable([{ message, severity: 'error', at: `${file}:1:1` }])
}

const NAMES: Readonly<Record<SchemaSource['language'], string>> = {
  xsd: 'XML Schema',
  rng: 'RELAX NG',
  json: 'JSON Schema',
  schematron: 'Schematron',
}

/** The language of a schema by what stands in its file. */
export function languageOf(file: string): ComparedLanguage {
  const text = readFileSync(file, 'utf8')
  const start = text.trimStart()
  if (start.startsWith('{') && !/\.rnc$/i.test(file)) return 'json'
  if (!start.startsWith('<')) return 'rng'
  return text.includes('http://www.w3.org/2001/XMLSchema"') || text.includes("http://www.w3.org/2001/XMLSchema'")
    ? 'xsd'
    : 'rng'
}

/** All files of both, byte for byte: only then nothing needs to be understood. */
function isSameText(old: SchemaSource, next: SchemaSource): boolean {
  const [mine, other] = [old, next].map((source) => {
    const { files, url, problems } = readSchemaFiles({ ...source, language: 'rng' })
    if (problems.length > 0) throw new NotComparable(problems)
    return { files, url }
  })
  const sameFile = ([name, bytes]: [string, Uint8Array]) =>
    Buffer.compare(bytes, other!.files.get(name) ?? NO_BYTES) === 0
  return mine!.url === other!.url && mine!.files.size === other!.files.size && [...mine!.files].every(sameFile)
}

const NO_BYTES = new Uint8Array()
