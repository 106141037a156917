import type { Document, Origin, SubmitOptions } from '../domain/document.ts'
import { attributeOf, childElements, childNamed, type Element, expandedName } from '../domain/element.ts'
import { type Rejection, type RejectionKind, reject } from '../domain/rejection.ts'
import type { Extraction, InboundStanza, Submission } from '../flow/ports.ts'
import { readDocument } from './carriage.ts'
import { isKnownExtension, MESSAGE_CHILDREN } from './extensions.ts'
import type { Limits } from './limits.ts'
import { type Inherited, inheritedFrom, inheritedIn, rootUri } from './self-contained.ts'
import { shown } from './shown.ts'
import { parseSubmit } from './submit.ts'

const WAYBILL = 'urn:waybill:0'
const PUBSUB = 'http://jabber.org/protocol/pubsub'
const PUBSUB_EVENT = 'http://jabber.org/protocol/pubsub#event'
const HEADERS = 'http://jabber.org/protocol/shim'
const ENCRYPTION = 'urn:xmpp:eme:0'

/** Whether a type registers the root `{namespace}name`. */
export type IsRegistered = (rootName: string) => boolean

/** Takes the documents out of a stanza (docs/protocol.md 1): all of them, or one rejection. */
export function extract(stanza: InboundStanza, isRegistered: IsRegistered, limits: Limits): Extraction {
  switch (stanza.kind) {
    case 'iq':
      return fromIq(stanza, isRegistered, limits)
    case 'message':
      return fromMessage(stanza, isRegistered, limits)
    case 'publish':
      return fromItems(stanza, pathTo(stanza.element, ['pubsub', 'publish'], PUBSUB), limits)
    case 'event':
      return fromItems(stanza, pathTo(stanza.element, ['event', 'items'], PUBSUB_EVENT), limits)
  }
}

/** A message without body and with known extensions only. */
export function carriesNothing({ kind, element }: InboundStanza): boolean {
  if (kind !== 'message' && kind !== 'event') return false
  if (kind === 'event') return !pathTo(element, ['event', 'items'], PUBSUB_EVENT).at(-1)?.children.some(isItem)
  return !hasBody(element) && childElements(element).every((child) => isBeside(child, element))
}

/** Registered roots of the documents that stand in the stanza as elements: what can be told by names, before anything is parsed. */
export function registeredRoots(stanza: InboundStanza, isRegistered: IsRegistered): readonly string[] {
  const { kind, element } = stanza
  switch (kind) {
    case 'iq':
    case 'message': {
      const wrapper = childElements(element).find(isSubmit)
      return rootsIn(wrapper ? [element, wrapper] : [element], isRegistered)
    }
    case 'publish':
    case 'event': {
      const path = pathTo(element, kind === 'publish' ? ['pubsub', 'publish'] : ['event', 'items'], itemsUri(kind))
      const items = path.at(-1)?.children.filter(isItem) ?? []
      return items.flatMap((item) => rootsIn([...path, item], isRegistered))
    }
  }
}

function itemsUri(kind: 'publish' | 'event'): string {
  return kind === 'publish' ? PUBSUB : PUBSUB_EVENT
}

function rootsIn(around: readonly Element[], isRegistered: IsRegistered): readonly string[] {
  const names = childElements(around.at(-1)!).map((child) => expandedName(rootUri(child, around), child.name))
  return names.filter(isRegistered)
}

// -------------------------------------------------------------------------------------------------- one document

function fromIq(stanza: InboundStanza, isRegistered: IsRegistered, limits: Limits): Extraction {
  const { element } = stanza
  const children = childElements(element)
  const [only] = children
  if (!only) return rejected('no-document', 'Cannot take the iq: it has no child element')
  // RFC 6120 8.2.3: an iq of type set has one child.
  if (children.length > 1)
    return rejected('several-documents', `Cannot take the iq: it has ${children.length} child elements`)
  if (isSubmit(only)) return fromSubmit(stanza, only, isRegistered, limits)
  return submission(stanza, only, [element], {}, limits)
}

function fromMessage(stanza: InboundStanza, isRegistered: IsRegistered, limits: Limits): Extraction {
  const { element } = stanza
  const candidates = candidatesIn([element], isRegistered)
  const [only] = candidates
  if (candidates.length > 1) return several('message', candidates)
  if (only && isSubmit(only)) return fromSubmit(stanza, only, isRegistered, limits)
  if (only) return submission(stanza, only, [element], {}, limits)
  if (!hasBody(element)) return { kind: 'ignored' }
  return rejected('no-document', 'Cannot take the message: it has a body, but no document beside it')
}

/** `<submit/>` with what a message may have beside a document put aside (docs/protocol.md 1.1, 1.3). */
function fromSubmit(stanza: InboundStanza, wrapper: Element, isRegistered: IsRegistered, limits: Limits): Extraction {
  const parsed = parseSubmit(wrapper)
  if (parsed.kind === 'rejected') return parsed
  const around = [stanza.element, wrapper]
  const candidates = candidatesIn(around, isRegistered)
  const [only] = candidates
  if (!only) return rejected('no-document', 'Cannot take the document: its wrapper holds none')
  if (candidates.length > 1) return several('submission', candidates)
  if (isSubmit(only) && !isRegistered(expandedName(rootUri(only, around), only.name))) return nested(only)
  return submission(stanza, only, around, answerable(stanza.element, parsed.submit), limits)
}

function nested({ uri, name }: Element): Extraction {
  return rejected('unknown-type', `Cannot tell the document's type: no type has the root ${expandedName(uri, name)}`)
}

/** Messages that are never answered get no reports either. */
function answerable(element: Element, { report, ...others }: SubmitOptions): SubmitOptions {
  const type = element.name === 'message' ? attributeOf(element, 'type') : undefined
  const isMute = type === 'headline' || type === 'groupchat'
  return report === undefined || isMute ? others : { ...others, report }
}

/** Wrappers and registered ones where there are any, otherwise all that is no known extension. */
function candidatesIn(around: readonly Element[], isRegistered: IsRegistered): readonly Element[] {
  const outer = around.at(-1)!
  const others = childElements(outer).filter((child) => !isBeside(child, outer))
  const meant = others.filter(
    (child) => isSubmit(child) || isRegistered(expandedName(rootUri(child, around), child.name)),
  )
  return meant.length > 0 ? meant : others
}

function isBeside({ name, uri }: Element, outer: Element): boolean {
  return (uri === outer.uri && MESSAGE_CHILDREN.includes(name)) || isKnownExtension(name, uri)
}

function hasBody(message: Element): boolean {
  return childNamed(message, 'body', message.uri) !== undefined
}

function isSubmit({ name, uri }: Element): boolean {
  return name === 'submit' && uri === WAYBILL
}

function several(what: string, candidates: readonly Element[]): Extraction {
  const names = candidates.slice(0, 5).map(({ uri, name }) => shown(expandedName(uri, name), 100))
  const rest = candidates.length > names.length ? ', …' : ''
  return rejected(
    'several-documents',
    `Cannot take the ${what}: it holds ${candidates.length} documents: ${names.join(', ')}${rest}`,
  )
}

function submission(
  stanza: InboundStanza,
  carrier: Element,
  around: readonly Element[],
  submit: SubmitOptions,
  limits: Limits,
): Extraction {
  const beside = readBeside(around)
  if ('rejection' in beside) return beside
  const parsed = readDocument(carrier, () => inheritedFrom(around), limits, beside.encrypted)
  if (parsed.kind === 'rejected') return parsed
  return { kind: 'submissions', submissions: [submitted(stanza, parsed.document, beside, submit)] }
}

// --------------------------------------------------------------------------------------------------------- items

/**
 * Of one stanza (docs/protocol.md 1): what its items inherit may come to so much, and their documents. A few hundred bytes around the items are
 * gigabytes on thousands of them.
 */
const INHERITED_BYTES = 4 << 20
const ITEMS_BYTES = 32 << 20
/** A declaration costs as much, however short it is. */
const DECLARATION_BYTES = 64

/** The stanza and what leads to the element that holds the items, outermost first. */
function pathTo(stanza: Element, names: readonly string[], uri: string): readonly Element[] {
  const path = [stanza]
  for (const name of names) {
    const child = childNamed(path.at(-1)!, name, uri)
    if (!child) return []
    path.push(child)
  }
  return path
}

/** XEP-0060 7.1.1 and 7.1.2.1: the payload of each item. */
function fromItems(stanza: InboundStanza, path: readonly Element[], limits: Limits): Extraction {
  const holder = path.at(-1)
  const items = holder ? childElements(holder).filter(isItem) : []
  if (!holder || items.length === 0) {
    if (stanza.kind === 'event') return { kind: 'ignored' }
    return rejected('no-document', 'Cannot take the publish request: it has no item')
  }
  const beside = readBeside([stanza.element])
  if ('rejection' in beside) return beside
  const node = attributeOf(holder, 'node') ?? ''
  const around = createItemsAround(path)
  let bytes = 0
  const submissions: Submission[] = []
  for (const item of items) {
    const id = attributeOf(item, 'id') ?? ''
    const read = readItem(item, id, around, limits)
    if (read.kind === 'rejected') return { ...read, item: id }
    bytes += read.document.bytes
    if (around.weight > INHERITED_BYTES) return tooMuchInherited()
    if (bytes > ITEMS_BYTES) return tooManyBytes()
    submissions.push(submitted(stanza, read.document, beside, {}, node, id))
  }
  return { kind: 'submissions', submissions }
}

/** What the items of a stanza inherit: what they have in common is made once, what is repeated on each of them is counted. */
interface ItemsAround {
  inheritedBy(item: Element): Inherited
  /** What the prefixes come to that were put on documents so far. */
  readonly weight: number
}

function createItemsAround(path: readonly Element[]): ItemsAround {
  const outer = inheritedFrom(path)
  let weight = 0
  return {
    inheritedBy(item) {
      const inherited = inheritedIn(outer, item)
      weight += weightOf(inherited)
      return inherited
    },
    get weight() {
      return weight
    },
  }
}

function weightOf({ prefixes }: Inherited): number {
  let weight = 0
  for (const prefix in prefixes) weight += Math.max(DECLARATION_BYTES, prefix.length + prefixes[prefix]!.length)
  return weight
}

function tooMuchInherited(): Extraction {
  const text = `Cannot take the items: namespaces declared around them, repeated on each, come to more than ${INHERITED_BYTES} bytes; declare them in the items, or send fewer in one stanza`
  return rejected('too-large', text)
}

function tooManyBytes(): Extraction {
  const text = `Cannot take the items: their documents come to more than ${ITEMS_BYTES} bytes; send fewer in one stanza`
  return rejected('too-large', text)
}

function isItem(node: Element | string): node is Element {
  return typeof node !== 'string' && node.name === 'item' && (node.uri === PUBSUB || node.uri === PUBSUB_EVENT)
}

type ItemRead =
  | { readonly kind: 'document'; readonly document: Document }
  | { readonly kind: 'rejected'; readonly rejection: Rejection }

function readItem(item: Element, id: string, around: ItemsAround, limits: Limits): ItemRead {
  const payloads = childElements(item)
  const [only] = payloads
  const name = id === '' ? 'an item without id' : `item ${JSON.stringify(shown(id, 100))}`
  if (!only) return { kind: 'rejected', rejection: reject('no-document', `Cannot take ${name}: it has no payload`) }
  if (payloads.length > 1) {
    const text = `Cannot take ${name}: it has ${payloads.length} payloads`
    return { kind: 'rejected', rejection: reject('several-documents', text) }
  }
  return readDocument(only, () => around.inheritedBy(item), limits, undefined)
}

// -------------------------------------------------------------------------------------------------------- beside

/** What travels beside the document. */
interface Beside {
  readonly headers: Readonly<Record<string, string>>
  readonly hops: number
  readonly encrypted: string | undefined
}

function readBeside(around: readonly Element[]): Beside | Extract<Extraction, { kind: 'rejected' }> {
  const beside = around.flatMap(childElements)
  const hops = hopsOf(beside)
  if (hops === undefined) {
    return rejected('malformed', 'Cannot read <via/>: its hops are no whole number of at most 1000')
  }
  const encryption = beside.find(({ name, uri }) => name === 'encryption' && uri === ENCRYPTION)
  return { headers: headersOf(beside), hops, encrypted: encryption && attributeOf(encryption, 'namespace') }
}

/** XEP-0131 2. A header that stands twice keeps its first value. */
function headersOf(beside: readonly Element[]): Readonly<Record<string, string>> {
  const headers: Record<string, string> = Object.create(null)
  for (const parent of beside) {
    if (parent.uri !== HEADERS || parent.name !== 'headers') continue
    for (const header of childElements(parent)) {
      const name = attributeOf(header, 'name')
      if (header.name === 'header' && name !== undefined) headers[name] ??= header.children.filter(isText).join('')
    }
  }
  return headers
}

function isText(node: Element | string): node is string {
  return typeof node === 'string'
}

/** `<via hops/>` of the router before us; the largest where there are several, 1 where it doesn't say. */
function hopsOf(beside: readonly Element[]): number | undefined {
  let most = 0
  for (const via of beside) {
    if (via.uri !== WAYBILL || via.name !== 'via') continue
    const text = attributeOf(via, 'hops') ?? '1'
    if (!/^[0-9]{1,4}$/.test(text) || Number(text) > 1_000) return undefined
    most = Math.max(most, Number(text))
  }
  return most
}

function submitted(
  { kind, from, to, id }: InboundStanza,
  document: Document,
  { headers, hops }: Beside,
  submit: SubmitOptions,
  node = '',
  item = '',
): Submission {
  const origin: Origin = { from, to, stanza: kind, stanzaId: id, node, item, headers, hops }
  return { document, origin, submit }
}

function rejected(kind: RejectionKind, text: string): Extract<Extraction, { kind: 'rejected' }> {
  return { kind: 'rejected', rejection: reject(kind, text) }
}
