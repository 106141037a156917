import type { Attribute, Element } from '../domain/element.ts'
import { shared } from '../domain/shared-text.ts'

/**
 * Names as they are written, in bytes of UTF-8. Documents repeat their names, and bytes that are there already are put into
 * place many times faster than strings are joined.
 */
export interface WrittenName {
  readonly uri: string
  readonly prefix: string
  /** `<NAME`, of an attribute ` NAME="`. */
  readonly start: Uint8Array
  /** `</NAME>`; empty for an attribute. */
  readonly end: Uint8Array
  /** The name as the digest reads it. */
  readonly said: Uint8Array
  /** Another namespace or prefix with the same local name. */
  readonly next: WrittenName | undefined
}

/** Longer names and namespaces are written as they come. */
const LENGTH = 256
/** What comes after so many names begins anew: whoever sends ever new names gains nothing by it. */
const KEPT = 4_096
/** Nor by so many namespaces for one local name, which are looked through one by one: its names begin anew. */
const ALIKE = 64

let elements = new Map<string, WrittenName>()
let attributes = new Map<string, WrittenName>()
let kept = 0

/** Undefined where the name is too long to be kept. */
export function elementNameOf(of: Element): WrittenName | undefined {
  const { name, uri, prefix } = of
  const same = elements.get(name)
  let others = 0
  for (let known = same; known !== undefined; known = known.next) {
    if (known.uri === uri && known.prefix === prefix) return known
    others += 1
  }
  if (name.length + uri.length + prefix.length > LENGTH) return undefined
  const written = prefix === '' ? name : `${prefix}:${name}`
  return keep(elements, name, {
    uri: shared(uri),
    prefix: shared(prefix),
    start: bytesOf(`<${written}`),
    end: bytesOf(`</${written}>`),
    said: bytesOf(elementSaid(of)),
    next: others < ALIKE ? same : undefined,
  })
}

/** Of an attribute without namespace. Undefined where the name is too long to be kept. */
export function attributeNameOf(of: Attribute): WrittenName | undefined {
  const { name } = of
  const known = attributes.get(name)
  if (known !== undefined) return known
  if (name.length > LENGTH) return undefined
  const said = bytesOf(attributeSaid(of))
  return keep(attributes, name, {
    uri: '',
    prefix: '',
    start: bytesOf(` ${name}="`),
    end: NOTHING,
    said,
    next: undefined,
  })
}

/** The name of an element as the digest reads it. */
export function elementSaid({ uri, name }: Element): string {
  return `\u0001${uri}\u0002${name}`
}

export function attributeSaid({ uri, name }: Attribute): string {
  return `\u0003${uri}\u0002${name}\u0004`
}

const NOTHING = new Uint8Array(0)

function keep(names: Map<string, WrittenName>, name: string, written: WrittenName): WrittenName {
  kept += 1
  if (kept > KEPT) {
    elements = new Map()
    attributes = new Map()
    kept = 0
    return written
  }
  names.set(shared(name), written)
  return written
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text))
}
