import {
  Composer,
  type Document,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  Parser,
  type Scalar,
  visit,
  type YAMLError,
} from 'yaml'
import { fillPlaces } from './environment.ts'
import type { Path, Position, Problem, ProblemCode } from './problem.ts'

/** One YAML document of a file, with the way back from its values to their places. */
export interface YamlThing {
  /** Plain values, places of the environment filled in; undefined where the document is empty. */
  readonly value: unknown
  /** Where the value stands, or its key; falls back to the nearest existing ancestor. */
  locate(path: Path, at?: 'key' | 'value'): Position
  /** The value's text before places were filled in, where it is a filled-in scalar. */
  sourceOf(path: Path): string | undefined
  /** Something stands there, rather than what holds by default. */
  isWritten(path: Path): boolean
  /** The value has a place that could not be filled in: it was complained of, and the rest of it is not known. */
  isUnfilled(path: Path): boolean
}

export interface YamlFile {
  readonly things: readonly YamlThing[]
  readonly problems: readonly Problem[]
}

type Environment = Readonly<Record<string, string | undefined>>

const MAX_ALIASES = 100

/**
 * Reads the YAML documents of a file, one after the other: of each its values are kept, and the way back to their places is read again
 * from the text where somebody asks for it. A document with a syntax error gives a problem and no thing.
 *
 * @param file Relative to the configuration folder.
 * @param overridden Paths whose value is taken from elsewhere, so that its places don't matter.
 */
export function readYaml(
  text: string,
  file: string,
  environment: Environment,
  overridden: readonly Path[] = [],
): YamlFile {
  const lines = new LineCounter()
  const problems: Problem[] = []
  const positionOf = (offset: number): Position => {
    const { line, col } = lines.linePos(Math.min(Math.max(offset, 0), text.length))
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const complain = (code: ProblemCode, offset: number, message: string) =>
    problems.push({ ...positionOf(offset), code, severity: 'error', message })
  const things: YamlThing[] = []
  // What a directive says may be meant for the documents behind it too: they can't be read again one by one.
  const hasDirectives = DIRECTIVE.test(text)
  let end = 0
  for (const document of documentsOf(text, lines)) {
    const start = end
    end = document.range[2]
    const sound = complainOfSyntax(document, text, complain)
    if (!sound) continue
    if (!complainOfAliases(document, complain)) continue
    const filled = fillDocument(document, environment, overridden, complain)
    const value = plainValue(document, complain)
    if (value === undefined) continue
    const again = hasDirectives
      ? keep({ document, filled, start: 0 })
      : readAgain(text.slice(start, end), start, environment, overridden)
    things.push(thingOf(value.value, offsetOf(document, [], 'value'), again, positionOf))
  }
  return { things, problems }
}

const DIRECTIVE = /^%/m

function documentsOf(text: string, lines: LineCounter): Iterable<Document.Parsed> {
  const parser = new Parser(lines.addNewLine)
  return new Composer({ prettyErrors: false, stringKeys: true }).compose(parser.parse(text))
}

/** A document with the places that were filled in, for finding the way from its values to the text. */
interface Opened {
  readonly document: Document
  readonly filled: Filled
  /** Where the text begins that offsets in the document count from. */
  readonly start: number
}

const keep = (opened: Opened) => () => opened

// Apart from where the document was read: a function keeps what others of its scope see alive.
const readAgain =
  (text: string, start: number, environment: Environment, overridden: readonly Path[]) => (): Opened => {
    const [document] = documentsOf(text, new LineCounter())
    if (document === undefined) throw new Error('Cannot find a place: the document is not in its text')
    return { document, filled: fillDocument(document, environment, overridden, () => undefined), start }
  }

type ComplainAt = (code: ProblemCode, offset: number, message: string) => void

/** False where the document can't be used. */
function complainOfSyntax(document: Document, text: string, complain: ComplainAt): boolean {
  const doubled = document.errors.filter(({ code }) => code === 'DUPLICATE_KEY')
  for (const { pos } of doubled) {
    complain('yaml-duplicate-key', pos[0], `Cannot read the mapping: key ${keyAt(text, pos[0])} stands in it twice`)
  }
  // One mistake makes several errors; the first tells of it.
  const [first] = [...document.errors.filter(({ code }) => code !== 'DUPLICATE_KEY'), ...document.warnings]
  if (first) complain('yaml-syntax', first.pos[0], `Cannot read the YAML: ${syntaxWords(first)}`)
  return first === undefined
}

function keyAt(text: string, offset: number): string {
  const key = /^["']?([^"'\s:,{}[\]]+)/.exec(text.slice(offset, offset + 80))?.[1]
  return key === undefined ? '' : `"${key}"`
}

// The parser's own messages repeat the text, which may hold a secret.
function syntaxWords({ code, message }: YAMLError): string {
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'a tab stands where only spaces may indent'
    case 'BAD_INDENT':
      if (!message.startsWith('Flow')) return 'the indentation is wrong here'
      return 'a bracket is not closed, or what stands in brackets is not indented'
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'BLOCK_IN_FLOW':
      return 'a mapping or list begins where a value stands already, or the indentation is wrong'
    case 'MISSING_CHAR':
      return missingWords(message)
    case 'BAD_ALIAS':
      return 'an alias is not written as it should be'
    case 'BAD_DQ_ESCAPE':
      return 'a backslash in double quotes begins no escape that YAML knows'
    case 'MULTILINE_IMPLICIT_KEY':
      return 'a key must stand on one line, followed by a colon'
    case 'KEY_OVER_1024_CHARS':
      return 'a key must not be longer than 1024 characters'
    case 'NON_STRING_KEY':
      return 'a key must be a text; numbers and the like stand in quotes'
    case 'BAD_SCALAR_START':
      return 'a value must not begin with this character unless it stands in quotes'
    case 'TAG_RESOLVE_FAILED':
    case 'BAD_COLLECTION_TYPE':
      return 'a tag is not known here'
    case 'RESOURCE_EXHAUSTION':
      return 'it is nested too deeply'
    default:
      return 'something stands here that the lines before it leave no place for'
  }
}

function missingWords(message: string): string {
  if (/quote/i.test(message)) return 'a quote is not closed'
  if (/comma|,/.test(message)) return 'a comma is missing, or a bracket is not closed'
  if (/\]|\}|flow/.test(message)) return 'a bracket is not closed'
  if (/:|space/.test(message)) return 'a colon or a space is missing'
  return 'a character is missing'
}

/** False where there are some without anchor. */
function complainOfAliases(document: Document, complain: ComplainAt): boolean {
  let sound = true
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document)) return
      sound = false
      complain('yaml-syntax', alias.range?.[0] ?? 0, 'Cannot read the YAML: an alias has no anchor before it')
    },
  })
  return sound
}

/** What became of the scalars that have places of the environment in them. */
interface Filled {
  readonly sources: ReadonlyMap<unknown, string>
  readonly unfilled: ReadonlySet<unknown>
}

function fillDocument(
  document: Document,
  environment: Environment,
  overridden: readonly Path[],
  complain: ComplainAt,
): Filled {
  const skipped = new Set(overridden.map((path) => document.getIn(path, true)))
  const sources = new Map<unknown, string>()
  const unfilled = new Set<unknown>()
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return
      sources.set(node, node.value)
      if (skipped.has(node)) return
      const result = fillPlaces(node.value, environment)
      if (result.problems.length > 0) unfilled.add(node)
      for (const { code, message } of result.problems) complain(code, node.range?.[0] ?? 0, message)
      node.value = result.text
    },
  })
  return { sources, unfilled }
}

function plainValue(document: Document, complain: ComplainAt): { readonly value: unknown } | undefined {
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES })
    JSON.stringify(value)
    return { value }
  } catch (error) {
    if (!(error instanceof ReferenceError || error instanceof TypeError || error instanceof RangeError)) throw error
    const message = 'Cannot read the YAML: its aliases multiply, or contain themselves'
    complain('yaml-aliases', document.contents?.range?.[0] ?? document.range?.[0] ?? 0, message)
    return undefined
  }
}

function thingOf(
  value: unknown,
  begin: number,
  open: () => Opened,
  positionOf: (offset: number) => Position,
): YamlThing {
  // Who asks for one place of a thing asks for the next one too.
  let last: WeakRef<Opened> | undefined
  const opened = (): Opened => {
    const known = last?.deref()
    if (known) return known
    const made = open()
    last = new WeakRef(made)
    return made
  }
  return {
    value: value ?? undefined,
    locate(path, at = 'value') {
      if (path.length === 0) return positionOf(begin)
      const { document, start } = opened()
      return positionOf(start + offsetOf(document, path, at))
    },
    sourceOf(path) {
      const { document, filled } = opened()
      return filled.sources.get(document.getIn(path, true))
    },
    isWritten(path) {
      return isThere(opened().document, path)
    },
    isUnfilled(path) {
      const { document, filled } = opened()
      return filled.unfilled.has(document.getIn(path, true))
    },
  }
}

/** A scalar's own offset; that of its key for a collection or for nothing. */
function offsetOf(document: Document, path: Path, at: 'key' | 'value'): number {
  let node: unknown = resolve(document, document.contents)
  let offset = offsetOfNode(node, document.range?.[0] ?? 0)
  for (const [index, part] of path.entries()) {
    const step = stepInto(node, part)
    if (!step) return offset
    const last = index === path.length - 1
    node = resolve(document, step.value)
    const plain = isScalar(step.value) && (step.value as Scalar).source !== '' && step.value.range !== undefined
    const useKey = step.key !== undefined && ((last && at === 'key') || !plain)
    offset = offsetOfNode(useKey ? step.key : step.value, offset)
  }
  return offset
}

function isThere(document: Document, path: Path): boolean {
  let node: unknown = resolve(document, document.contents)
  return path.every((part) => {
    const step = stepInto(node, part)
    node = step && resolve(document, step.value)
    return step !== undefined
  })
}

function stepInto(
  node: unknown,
  part: string | number,
): { readonly key?: unknown; readonly value: unknown } | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(part)]
    return item === undefined ? undefined : { value: item }
  }
  if (!isMap(node)) return undefined
  // Where a list may stand, one thing alone is its own first item.
  if (part === 0) return { value: node }
  const pair = node.items.find((candidate: Pair) => isPair(candidate) && keyOf(candidate) === String(part))
  return pair && { key: pair.key, value: pair.value }
}

function keyOf({ key }: Pair): string {
  return String(isScalar(key) ? key.value : key)
}

function resolve(document: Document, node: unknown): unknown {
  const known = node as { resolve?: (document: Document) => Node | undefined } | null
  return typeof known?.resolve === 'function' ? known.resolve(document) : node
}

function offsetOfNode(node: unknown, otherwise: number): number {
  const range = isScalar(node) || isCollection(node) ? node.range : (node as Node | null)?.range
  return range?.[0] ?? otherwise
}
