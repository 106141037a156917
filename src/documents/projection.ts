import { XMLParser } from 'fast-xml-parser'
import type { Json } from '../domain/document.ts'
import type { Element } from '../domain/element.ts'
import type { Finding } from '../domain/rejection.ts'
import type { JsonSchema } from './json-schema.ts'
import { prefixFor } from './node-path.ts'
import { isObject } from './pointer.ts'

/**
 * An XML document as JSON, for programs that would rather not parse XML: elements by their names as written, attributes with
 * `@` before the name, text as `#text` where there is something beside it, repeated elements as lists. Everything is text;
 * nothing is read as a number. Blind to namespaces and to the order of unlike siblings.
 */
export function projectXml(text: string): Json {
  return parser.parse(text) as Json
}

/**
 * A stored document as JSON: read where it is JSON, projected where it is XML. Null where it is neither, or can't be told so: a payload that is
 * gone, and names that fast-xml-parser refuses (`constructor`). Whoever asks has the payload itself besides.
 */
export function projectPayload(mediaType: string, text: string): Json {
  try {
    if (/[/+]json$/.test(mediaType)) return JSON.parse(text) as Json
    return /[/+]xml$/.test(mediaType) && text !== '' ? projectXml(text) : null
  } catch {
    return null
  }
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  textNodeName: '#text',
  parseTagValue: false,
  parseAttributeValue: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  // What is stored has kept the limits of intake.
  maxNestedTags: Number.POSITIVE_INFINITY,
})

/** Checks XML by a JSON Schema, in the projection of its tree. */
export function checkProjection(
  schema: JsonSchema,
  root: Element,
  namespaces: Readonly<Record<string, string>>,
): readonly Finding[] {
  const projected = projectElement(root, namespaces)
  return schema.validate(projected).map((finding) => ({ ...finding, path: pathOf(finding.path) }))
}

/**
 * As {@link projectXml}, of a tree that is there already (docs/operations.md). Names are written with the prefixes of the type,
 * whatever the document's own are, and without one where the type has none for the namespace; declarations are left out. No
 * text is read again, so that every name and character comes as it is.
 */
export function projectElement(root: Element, namespaces: Readonly<Record<string, string>>): Json {
  const nameIn = (uri: string, name: string) => {
    const prefix = uri === '' ? undefined : (prefixFor(uri, namespaces) ?? (uri === XML_NAMESPACE ? 'xml' : undefined))
    return prefix === undefined ? name : `${prefix}:${name}`
  }
  const projected = mapping<Projected>()
  projected[nameIn(root.uri, root.name)] = contentOf(root, nameIn)
  return projected
}

type Projected = string | Projected[] | { [name: string]: Projected }

function contentOf(element: Element, nameIn: (uri: string, name: string) => string): Projected {
  const projected = mapping<Projected>()
  for (const { name, uri, value } of element.attributes) projected[`@${nameIn(uri, name)}`] = value.trim()
  let hasElements = false
  let text = ''
  // Up to the next element: white space within it stays, also where it came in pieces.
  let run = ''
  for (const child of element.children) {
    if (typeof child === 'string') {
      run += child
      continue
    }
    hasElements = true
    text += run.trim()
    run = ''
    add(projected, nameIn(child.uri, child.name), contentOf(child, nameIn))
  }
  text += run.trim()
  if (!hasElements && element.attributes.length === 0) return text
  if (text !== '') projected['#text'] = text
  return projected
}

function add(projected: { [name: string]: Projected }, name: string, value: Projected): void {
  const known = projected[name]
  if (known === undefined) projected[name] = value
  else if (Array.isArray(known)) known.push(value)
  else projected[name] = [known, value]
}

/** Nothing is inherited, and `__proto__` is a name like any other. */
function mapping<T>(): { [name: string]: T } {
  return Object.create(null) as { [name: string]: T }
}

const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace'

/** The place in the document, as other layers tell it: `/o:order/o:line/1/@unit` is `/o:order/o:line[2]/@unit`. */
function pathOf(pointer: string): string {
  return pointer
    .replace(/\/(\d+)(?=\/|$)/g, (_, at: string) => `[${Number(at) + 1}]`)
    .replace(/\/#text$/, '')
    .replaceAll('~1', '/')
    .replaceAll('~0', '~')
}

/**
 * What a schema in JSON says of lists and mappings is not to be seen in XML, where one line looks the same as a list of one: what
 * stands alone where a list is wanted becomes one, and text where a mapping is wanted its `#text`.
 *
 * @param resolve The schema that a `$ref` within the same file leads to.
 */
export function shape(value: Json, schema: unknown, resolve: (ref: string) => unknown, depth = 0): Json {
  if (!isObject(schema as Json) || depth > DEPTH) return value
  const { $ref, allOf, type, items, properties } = schema as Readonly<Record<string, unknown>>
  if (typeof $ref === 'string') return shape(value, resolve($ref), resolve, depth + 1)
  const parts = Array.isArray(allOf) ? allOf : []
  const shaped = parts.reduce<Json>((left, part) => shape(left, part, resolve, depth + 1), asType(value, type))
  // A list or mapping that the schema made of what stands alone leads on to the same value; one that was there ends with the document.
  const next = typeof value === 'object' && Array.isArray(shaped) === Array.isArray(value) ? 0 : depth + 1
  if (Array.isArray(shaped)) return shaped.map((one: Json) => shape(one, items, resolve, next))
  if (!isObject(shaped) || !isObject(properties as Json)) return shaped
  const known = properties as Readonly<Record<string, unknown>>
  const whole = mapping<Json>()
  for (const [name, one] of Object.entries(shaped)) {
    whole[name] = Object.hasOwn(known, name) ? shape(one, known[name], resolve, next) : one
  }
  return whole
}

/** How often one and the same value may be looked at: a schema may refer to itself. */
const DEPTH = 200

function asType(value: Json, type: unknown): Json {
  if (type === 'array' && !Array.isArray(value)) return value === '' ? [] : [value]
  if (type === 'object' && typeof value === 'string') return value === '' ? {} : { '#text': value }
  return value
}
