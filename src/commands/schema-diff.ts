import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { compareSchemas, languageOf } from '../documents/evolution/compare-schemas.ts'
import {
  type CompatibilityMode,
  isAllowed,
  type Judgement,
  judgeVersion,
} from '../documents/evolution/compatibility.ts'
import { NotComparable } from '../documents/evolution/not-comparable.ts'
import { findRefused, type KeptDocument, type RefusedDocument } from '../documents/evolution/refused-documents.ts'
import type { Difference } from '../documents/evolution/verdict.ts'
import { readSchemaFiles } from '../documents/schema-files.ts'
import type { SchemaSource } from '../domain/document-type.ts'
import { bareJid } from '../domain/jid.ts'
import { ARCHIVE, archivedDocuments, LAST } from './archived.ts'
import { cannot } from './cannot.ts'
import { CommandFailed, type ExitCode, type Output, printJson } from './output.ts'
import { settingsOf } from './settings-of.ts'

export interface SchemaDiffOptions {
  readonly mode: CompatibilityMode
  readonly root?: readonly string[]
  /** A folder of documents to try the new version on, or `archive`: what an installation has accepted. */
  readonly against?: string
  /** The configuration folder of that installation, the type, and how many of its newest documents. */
  readonly config?: string
  readonly type?: string
  readonly last?: number
}

/** Compares two versions of a schema. 1 where they are not compatible or it is not known, or where a document is refused. */
export async function schemaDiff(
  oldPath: string,
  newPath: string,
  options: SchemaDiffOptions,
  output: Output,
): Promise<ExitCode> {
  const { mode, root, against } = options
  refuseUnasked(options)
  const [old, next] = [sourceOf(oldPath), sourceOf(newPath)]
  const ask = (one: SchemaSource, other: SchemaSource) => compareSchemas(one, other, root ? { roots: root } : {})
  try {
    const judgements = judgeVersion(mode, [old], next, ask)
    const tried =
      against === undefined ? undefined : await findRefused(next, await keptDocuments(against, options, output))
    if (output.format === 'json') {
      const verdicts = judgements.map(({ direction, verdict }) => ({ direction, ...verdict }))
      printJson(output, { mode, allowed: isAllowed(judgements), verdicts, ...(tried ? { against: tried } : {}) })
    } else {
      for (const judgement of judgements) printJudgement(judgement, output)
      if (tried) printRefused(tried.asked, tried.refused, output)
    }
    return isAllowed(judgements) && (tried?.refused.length ?? 0) === 0 ? 0 : 1
  } catch (error) {
    if (!(error instanceof NotComparable)) throw error
    const lines = error.problems.map(({ at, message }) => `${at}: ${message}`)
    throw new CommandFailed(2, lines.join('\n') || error.message)
  }
}

/** Passed over, they would leave somebody in the belief that the archive was asked. */
function refuseUnasked({ against, config, type, last }: SchemaDiffOptions): void {
  const [unasked] = Object.entries({ config, type, last }).filter(([, value]) => value !== undefined)
  if (against !== ARCHIVE && unasked)
    throw new CommandFailed(2, `Cannot compare: --${unasked[0]} is for --against archive`)
}

// ------------------------------------------------------------------------------------------------------ schemas

/** A file, with the folder that holds all that it refers to; or a folder in which one file isn't referred to by another. */
function sourceOf(path: string): SchemaSource {
  if (!isFolder(path)) return sourceOfFile(resolve(path))
  const folder = resolve(path)
  const heads = headsIn(folder)
  if (heads.length === 1) return { file: heads[0]!, folder, language: languageOf(heads[0]!) }
  const found = heads.length === 0 ? 'no schema is in it' : `${heads.length} schemas in it are the first of their files`
  throw new CommandFailed(2, `Cannot compare ${path}: ${found}; name the file`)
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch (error) {
    return cannot('read', path)(error)
  }
}

const LEVELS_AT_MOST = 4

function sourceOfFile(file: string): SchemaSource {
  const language = languageOf(file)
  return { file, language, folder: language === 'json' ? dirname(file) : folderFor(file, language) }
}

function folderFor(file: string, language: 'xsd' | 'rng'): string {
  let folder = dirname(file)
  for (let level = 0; level < LEVELS_AT_MOST && dirname(folder) !== folder; level += 1) {
    const { problems } = readSchemaFiles({ language, file, folder })
    if (!problems.some(({ message }) => message.includes('leads out of the bundle'))) return folder
    folder = dirname(folder)
  }
  return dirname(file)
}

const SCHEMA_FILES = /\.(?:xsd|rng|rnc|json)$/i

function headsIn(folder: string): readonly string[] {
  const files = filesIn(folder).filter((file) => SCHEMA_FILES.test(file))
  const texts = files.map((file) => readFileSync(file, 'utf8'))
  const named = new Set(
    texts.flatMap((text, at) => {
      const references = text.matchAll(/(?:schemaLocation|href|"\$ref"\s*:|include|external)\s*=?\s*["']([^"'#]+)/g)
      return [...references].map(([, reference]) => resolve(dirname(files[at]!), reference!))
    }),
  )
  return files.filter((file) => !named.has(file))
}

function filesIn(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry: Dirent) => join(entry.parentPath, entry.name))
}

// ---------------------------------------------------------------------------------------------------- documents

async function keptDocuments(
  against: string,
  { config = '.', type, last = LAST }: SchemaDiffOptions,
  output: Output,
): Promise<Iterable<KeptDocument>> {
  if (against !== ARCHIVE) return documentsIn(against)
  if (type === undefined) throw new CommandFailed(2, 'Cannot try the archive without a type: give --type NAME')
  const documents = await archivedDocuments(await settingsOf(config, output), { type, last })
  return documents.map(({ id, origin, payload }) => ({ name: id, from: bareJid(origin.from), bytes: payload }))
}

function* documentsIn(folder: string): Generator<KeptDocument> {
  if (!isFolder(folder)) throw new CommandFailed(3, `Cannot read ${folder}: it is no folder`)
  const files = filesIn(resolve(folder)).filter((file) => !/(?:^|\/)\./.test(relative(resolve(folder), file)))
  if (files.length === 0) throw new CommandFailed(2, `Cannot compare: there are no documents in ${folder}`)
  for (const file of files.toSorted()) {
    yield { name: file, from: undefined, bytes: readFileSync(file) }
  }
}

// ------------------------------------------------------------------------------------------------------- output

/** Which version is asked, and so which refuses. */
const ASKED = { backward: 'new', forward: 'old' } as const

const QUESTIONS = {
  backward: 'backward: does the new version accept what the old one accepts?',
  forward: 'forward: does the old version accept what the new one accepts?',
} as const

function printJudgement({ direction, verdict }: Judgement<SchemaSource>, output: Output): void {
  output.print(`${QUESTIONS[direction]} ${verdict.kind}`)
  switch (verdict.kind) {
    case 'compatible':
      return
    case 'unknown':
      for (const reason of verdict.reasons) output.print(`  ${lineOf(reason)}`)
      return
    case 'incompatible':
      output.print(`  ${lineOf(verdict.witness)}`)
      output.print(`  refused by the ${ASKED[direction]} version: ${verdict.witness.document}`)
      output.print(`  because: ${verdict.witness.refusal}`)
      for (const other of verdict.others) output.print(`  also, not tried: ${lineOf(other)}`)
  }
}

function lineOf({ path, message, old, new: next }: Difference): string {
  const places = [old, next].filter((place) => place !== '').join(' → ')
  return `${path === '' ? '' : `${path}: `}${message}${places === '' ? '' : ` (${places})`}`
}

function printRefused(asked: number, refused: readonly RefusedDocument[], output: Output): void {
  output.print(`documents: ${asked} tried, ${refused.length} refused by the new version`)
  const broken = new Map<string, number>()
  for (const { from } of refused) if (from !== undefined) broken.set(from, (broken.get(from) ?? 0) + 1)
  for (const [from, count] of broken) output.print(`  it would break ${count} of ${from}`)
  for (const { name, from, refusal } of refused) output.print(`  ${name}${from ? ` of ${from}` : ''}: ${refusal}`)
}
