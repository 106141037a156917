import type { Document, Json } from '../../domain/document.ts'
import { type DocumentType, type SchemaLayer, typeKey } from '../../domain/document-type.ts'
import { mayBacktrackForLong } from '../../matching/allow.ts'
import type { CheckedSet } from './task.ts'

/** From here on validating XML by a schema takes clearly longer than giving it to another thread. */
const HEAVY_XML_BYTES = 64 * 1024
/** JSON was parsed when it came, and is checked ten times as fast. */
const HEAVY_JSON_BYTES = 512 * 1024
/** libxml2 looks at a particle with a bound again for each of what it bounds. */
const OCCURS_MOST = 1_000

/** Whether others should not wait for a document. */
export type IsHeavy = (document: Pick<Document, 'bytes' | 'content'>, type: DocumentType) => boolean

/**
 * Heavy is what is large, and at any size what is slow: rules, and schemas by which a small document can take for long, because
 * a pattern repeats what is repeated or a large number of elements is counted.
 */
export function createIsHeavy(set: CheckedSet): IsHeavy {
  const slow = new Set(slowTypes(set).map(typeKey))
  return ({ bytes, content }, type) => {
    if (type.layers.length === 0) return false
    return bytes > (content.kind === 'json' ? HEAVY_JSON_BYTES : HEAVY_XML_BYTES) || slow.has(typeKey(type))
  }
}

/** Types of which a small document may take long. */
export function slowTypes({ types, files }: CheckedSet): readonly DocumentType[] {
  const known = new Map<string, boolean>()
  const isSlow = ({ folder, language }: SchemaLayer): boolean => {
    if (language === 'schematron') return true
    const key = `${language} ${folder}`
    const mayTakeLong = language === 'json' ? jsonMayTakeLong : xmlMayTakeLong
    const texts = () => [...(files.contents.get(folder)?.values() ?? [])].flatMap(textOf)
    const slow = known.get(key) ?? texts().some(mayTakeLong)
    known.set(key, slow)
    return slow
  }
  return types.filter(({ layers }) => layers.some(isSlow))
}

const decoder = new TextDecoder()

function textOf(content: Uint8Array | string): readonly string[] {
  return typeof content === 'string' ? [] : [decoder.decode(content)]
}

/** Facets of XML Schema, and parameters of RELAX NG in both syntaxes. */
const PATTERNS = /pattern(?:\s+value)?"?\s*[=>]\s*(?:"([^"]*)"|'([^']*)'|([^<]*)<)/g
const OCCURS = /maxOccurs\s*=\s*["'](\d+)["']/g

/** Errs on the safe side: what is no pattern after all costs a document the way to another thread. */
function xmlMayTakeLong(text: string): boolean {
  for (const [, most] of text.matchAll(OCCURS)) if (Number(most) > OCCURS_MOST) return true
  for (const [, double, single, content] of text.matchAll(PATTERNS)) {
    if (mayBacktrackForLong(double ?? single ?? content ?? '')) return true
  }
  return false
}

function jsonMayTakeLong(text: string): boolean {
  try {
    return repeatsRepeated(JSON.parse(text) as Json)
  } catch {
    return false
  }
}

function repeatsRepeated(schema: Json): boolean {
  if (typeof schema !== 'object' || schema === null) return false
  if (Array.isArray(schema)) return schema.some(repeatsRepeated)
  return Object.entries(schema).some(([key, value]) => {
    if (key === 'pattern' && typeof value === 'string') return mayBacktrackForLong(value)
    if (key === 'patternProperties' && Object.keys(value as object).some(mayBacktrackForLong)) return true
    return repeatsRepeated(value)
  })
}
