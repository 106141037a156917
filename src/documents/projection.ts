import { XMLParser } from 'fast-xml-parser'
import type { Json } from '../domain/document.ts'
import type { Element } from '../domain/element.ts'
import type { Finding } from '../domain/rejection.ts'
import { serialise } from '../domain/serialise.ts'
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

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  textNodeName: '#text',
  parseTagValue: false,
  parseAttributeValue: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
})

/**
 * Checks XML by a JSON Schema, in the projection (docs/operations.md). Names are written with the prefixes of the type, whatever
 * the document's own are, and without one where the type has none for the namespace; declarations are left out.
 */
export function checkProjection(
  schema: JsonSchema,
  root: Element,
  namespaces: Readonly<Record<string, string>>,
): readonly Finding[] {
  const projected = projectXml(serialise(renamed(root, namespaces)))
  return schema.validate(projected).map((finding) => ({ ...finding, path: pathOf(finding.path) }))
}

function renamed(element: Element, namespaces: Readonly<Record<string, string>>): Element {
  const nameIn = (uri: string, name: string) => {
    const prefix = uri === '' ? undefined : (prefixFor(uri, namespaces) ?? (uri === XML_NAMESPACE ? 'xml' : undefined))
    return prefix === undefined ? name : `${prefix}:${name}`
  }
  const attributes = element.attributes.map(({ name, uri, value }) => {
    return { name: nameIn(uri, name), uri: '', prefix: '', value }
  })
  const children = element.children.map((child) => {
    return typeof child === 'string' ? child : renamed(child, namespaces)
  })
  // Names as a whole, in no namespace: nothing is left to declare.
  return { name: nameIn(element.uri, element.name), uri: '', prefix: '', attributes, namespaces: null, children }
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
  if (Array.isArray(shaped)) return shaped.map((one: Json) => shape(one, items, resolve, depth + 1))
  if (!isObject(shaped) || !isObject(properties as Json)) return shaped
  const known = properties as Readonly<Record<string, unknown>>
  const entries = Object.entries(shaped).map(([name, one]) => {
    return [name, Object.hasOwn(known, name) ? shape(one, known[name], resolve, depth + 1) : one]
  })
  return Object.fromEntries(entries) as Json
}

const DEPTH = 200

function asType(value: Json, type: unknown): Json {
  if (type === 'array' && !Array.isArray(value)) return value === '' ? [] : [value]
  if (type === 'object' && typeof value === 'string') return value === '' ? {} : { '#text': value }
  return value
}
