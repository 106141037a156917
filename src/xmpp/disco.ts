import { type DocumentType, typeKey } from '../domain/document-type.ts'
import { attributeOf, type Element } from '../domain/element.ts'
import { escapeAttribute, escapeText } from '../domain/serialise.ts'
import {
  BITS_OF_BINARY,
  DATA_FORMS,
  DISCO_INFO,
  DISCO_ITEMS,
  JSON_CONTAINER,
  JSON_MESSAGE,
  PING,
  PUBSUB,
  RECEIPTS,
  VERSION,
  WAYBILL,
} from './namespaces.ts'

/** What Waybill says of itself to one who asks; asked for anew with every question, so that a reload shows. */
export interface Description {
  readonly version: string
  /** Those that the one who asks may send. */
  readonly types: readonly DocumentType[]
  readonly limits: { readonly documentBytes: number; readonly depth: number; readonly attributes: number }
}

const TYPES_NODE = 'types'

const features: readonly string[] = [
  DISCO_INFO,
  DISCO_ITEMS,
  PING,
  VERSION,
  RECEIPTS,
  // XEP-0060 10: of the whole protocol, publishing to Waybill's own JID alone.
  `${PUBSUB}#publish`,
  `${PUBSUB}#item-ids`,
  BITS_OF_BINARY,
  JSON_CONTAINER,
  JSON_MESSAGE,
  WAYBILL,
]

/** XEP-0030 3: the payload of the answer, or undefined where there is no such node. */
export function discoInfo(query: Element, { types, limits }: Description): string | undefined {
  const node = attributeOf(query, 'node')
  if (node === undefined || node === '') return info(node, ownInfo(types, limits))
  if (node === TYPES_NODE) return info(node, identity('hierarchy', 'branch', 'Document types') + feature(DISCO_ITEMS))
  const type = typeAt(node, types)
  return type && info(node, identity('hierarchy', 'leaf', typeKey(type)) + typeForm(type))
}

/** XEP-0030 4: the payload of the answer, or undefined where there is no such node. */
export function discoItems(query: Element, self: string, { types }: Description): string | undefined {
  const node = attributeOf(query, 'node')
  if (node === undefined || node === '') return items(node, item(self, TYPES_NODE, 'Document types'))
  if (node === TYPES_NODE) {
    return items(node, types.map((type) => item(self, `${TYPES_NODE}/${typeKey(type)}`, typeKey(type))).join(''))
  }
  return typeAt(node, types) && items(node, '')
}

function ownInfo(types: readonly DocumentType[], limits: Description['limits']): string {
  const datatypes = types.flatMap(({ identify }) => identify.json?.datatype ?? [])
  // XEP-0432 4: one feature for each datatype.
  const all = [...features, ...new Set(datatypes.map((datatype) => `${JSON_MESSAGE}#${datatype}`))]
  return (
    identity('component', 'generic', 'Waybill') +
    all.map(feature).join('') +
    form(WAYBILL, [
      ['max-document-bytes', String(limits.documentBytes)],
      ['max-depth', String(limits.depth)],
      ['max-attributes', String(limits.attributes)],
    ])
  )
}

function typeForm({ name, version, deprecated, families, identify, layers }: DocumentType): string {
  const fields: [string, string][] = [['name', name]]
  if (version !== '') fields.push(['version', version])
  if (deprecated !== undefined) fields.push(['deprecated', deprecated])
  if (families.length > 0) fields.push(['families', families.join(' ')])
  if (identify.xml) fields.push(['root', identify.xml.root])
  if (identify.json?.datatype !== undefined) fields.push(['datatype', identify.json.datatype])
  if (identify.mediaType !== undefined) fields.push(['media-type', identify.mediaType])
  fields.push(['schema', layers.map(({ language }) => language).join(' ') || 'none'])
  return form(`${WAYBILL}#type`, fields)
}

function typeAt(node: string, types: readonly DocumentType[]): DocumentType | undefined {
  return types.find((type) => node === `${TYPES_NODE}/${typeKey(type)}`)
}

// XEP-0030 3.2: the node that was asked for is named in the answer.
function query(uri: string, node: string | undefined, content: string): string {
  const named = node === undefined ? '' : ` node="${escapeAttribute(node)}"`
  return `<query xmlns="${uri}"${named}>${content}</query>`
}

const info = (node: string | undefined, content: string): string => query(DISCO_INFO, node, content)
const items = (node: string | undefined, content: string): string => query(DISCO_ITEMS, node, content)
const feature = (name: string): string => `<feature var="${escapeAttribute(name)}"/>`

function identity(category: string, type: string, name: string): string {
  return `<identity category="${category}" type="${type}" name="${escapeAttribute(name)}"/>`
}

function item(jid: string, node: string, name: string): string {
  return `<item jid="${escapeAttribute(jid)}" node="${escapeAttribute(node)}" name="${escapeAttribute(name)}"/>`
}

/** XEP-0128: a form of type `result`, named by its FORM_TYPE (XEP-0068). */
function form(formType: string, fields: readonly (readonly [string, string])[]): string {
  const rest = fields.map(([name, value]) => `<field var="${name}"><value>${escapeText(value)}</value></field>`)
  const head = `<field var="FORM_TYPE" type="hidden"><value>${formType}</value></field>`
  return `<x xmlns="${DATA_FORMS}" type="result">${head}${rest.join('')}</x>`
}
