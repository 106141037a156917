import type { Element, Node } from './element.ts'

/** Writing element trees out again as XML that stands by itself (Namespaces in XML 1.0). */

const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace'
const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/'

/**
 * The element as self-contained XML text: every namespace that a name uses is declared, prefixes stay as they are unless
 * they conflict, and declarations that look unused stay too, since names in content may need them. Without a scope an
 * unprefixed root declares its default namespace even where it has none, so that the text means the same wherever it is put.
 *
 * Characters are not checked ({@link isXmlText}). Any depth is safe.
 *
 * @param scope Prefixes that are bound where the text is put; '' is the default namespace.
 */
export function serialise(root: Element, scope: Readonly<Record<string, string>> = {}): string {
  const output: Output = { text: '', bound: bindingsOf(scope) }
  const open = begin(output, root)
  if (open !== undefined) complete(output, open)
  return output.text
}

/** Bindings in scope at the place that is being written: prefix → namespace name. Start tags change them. */
export type Bindings = Map<string, string>

/** What is bound where nothing was declared but the scope. */
export function bindingsOf(scope: Readonly<Record<string, string>> = {}): Bindings {
  const bound: Bindings = new Map(Object.entries(scope))
  bound.set('xml', XML_NAMESPACE)
  bound.set('xmlns', XMLNS_NAMESPACE)
  return bound
}

export interface WrittenTag {
  /** The element's name with the prefix that it has here. */
  readonly name: string
  /** `<NAME`, declarations and attributes; what ends the tag is the caller's. */
  readonly text: string
  /** What to {@link restore} behind the element; undefined where nothing was declared. */
  readonly shadowed: Shadowed | undefined
}

/** Prefixes declared on one element with what they were bound to outside. */
type Shadowed = Map<string, string | undefined>

/** Writes the start tag of an element, and binds what it declares. */
export function writeStartTag(bound: Bindings, of: Element): WrittenTag {
  const tag: StartTag = { of, bound, shadowed: undefined, declarations: '', named: 0 }
  if (of.namespaces !== null) declareOwn(tag, of.namespaces)
  const name = elementName(tag)
  tag.named = 1
  const attributes = of.attributes.length === 0 ? '' : writeAttributes(tag)
  return { name, text: `<${name}${tag.declarations}${attributes}`, shadowed: tag.shadowed }
}

/** Takes back what an element declared. */
export function restore(bound: Bindings, shadowed: Shadowed): void {
  for (const [prefix, uri] of shadowed) {
    if (uri === undefined) bound.delete(prefix)
    else bound.set(prefix, uri)
  }
}

interface Output {
  text: string
  readonly bound: Bindings
}

/** A start tag while it is put together. */
interface StartTag {
  readonly of: Element
  readonly bound: Bindings
  /** Undefined until there is one. */
  shadowed: Shadowed | undefined
  declarations: string
  /** How many names are written already, the element's own first. */
  named: number
}

/** Writes the start tag; gives what has to follow, undefined where the element is empty. */
function begin(output: Output, of: Element): OpenElement | undefined {
  const { name, text, shadowed } = writeStartTag(output.bound, of)
  output.text += text
  if (of.children.length > 0) {
    output.text += '>'
    return { name, children: of.children, next: 0, shadowed }
  }
  output.text += '/>'
  if (shadowed !== undefined) restore(output.bound, shadowed)
  return undefined
}

/** Writes what is within, and the end tag. No recursion: how deep a tree is must not matter. */
function complete(output: Output, root: OpenElement): void {
  const outer: OpenElement[] = []
  let open: OpenElement | undefined = root
  while (open !== undefined) {
    const child: Node | undefined = open.children[open.next]
    open.next += 1
    if (child === undefined) {
      output.text += `</${open.name}>`
      if (open.shadowed !== undefined) restore(output.bound, open.shadowed)
      open = outer.pop()
    } else if (typeof child === 'string') {
      output.text += escapeText(child)
    } else {
      const inner = begin(output, child)
      if (inner === undefined) continue
      outer.push(open)
      open = inner
    }
  }
}

/** An element whose end tag is still to be written. */
interface OpenElement {
  readonly name: string
  readonly children: readonly Node[]
  /** Index of the child to be written next. */
  next: number
  readonly shadowed: Shadowed | undefined
}

function writeAttributes(tag: StartTag): string {
  let text = ''
  for (const { name, uri, prefix, value } of tag.of.attributes) {
    const written = uri === '' ? name : `${boundPrefix(tag, prefix, uri)}:${name}`
    text += ` ${written}="${escapeAttribute(value)}"`
    tag.named += 1
  }
  return text
}

function elementName(tag: StartTag): string {
  const { name, uri, prefix } = tag.of
  if (prefix === '' && tag.bound.get('') === uri) return name
  if (uri === '') {
    // A name without a namespace can't have a prefix: only the default declaration can give way.
    if (tag.bound.get('') !== '') declare(tag, '', '')
    return name
  }
  if (prefix === '' && uri !== XML_NAMESPACE && !tag.shadowed?.has('')) {
    declare(tag, '', uri)
    return name
  }
  return `${boundPrefix(tag, prefix, uri)}:${name}`
}

/** A prefix that means the namespace here: the given one where that is possible, declared if need be, or a new one. */
function boundPrefix(tag: StartTag, prefix: string, uri: string): string {
  if (uri === XML_NAMESPACE) return 'xml'
  if (prefix !== '' && tag.bound.get(prefix) === uri) return prefix
  const usable = prefix !== '' && prefix !== 'xml' && prefix !== 'xmlns' && !isTaken(tag, prefix)
  const chosen = usable ? prefix : newPrefix(tag)
  declare(tag, chosen, uri)
  return chosen
}

/** Whether the prefix has a meaning already that this start tag relies on. */
function isTaken({ of, shadowed, named }: StartTag, prefix: string): boolean {
  if (shadowed?.has(prefix)) return true
  if (named === 0) return false
  if (of.prefix === prefix && of.uri !== '') return true
  return of.attributes.slice(0, named - 1).some((attribute) => attribute.prefix === prefix && attribute.uri !== '')
}

function newPrefix({ of, bound }: StartTag): string {
  for (let number = 1; ; number += 1) {
    const prefix = `ns${number}`
    if (!bound.has(prefix) && !of.attributes.some((attribute) => attribute.prefix === prefix)) return prefix
  }
}

function declareOwn(tag: StartTag, namespaces: Readonly<Record<string, string>>): void {
  for (const prefix in namespaces) {
    const uri = namespaces[prefix]!
    const reserved = prefix === 'xml' || prefix === 'xmlns' || uri === XML_NAMESPACE || uri === XMLNS_NAMESPACE
    // Namespaces in XML 1.0, 5: a prefix can't be taken back.
    if (reserved || (uri === '' && prefix !== '')) continue
    // The default declaration gives way to an element that has no namespace.
    if (prefix === '' && tag.of.uri === '' && uri !== '') continue
    declare(tag, prefix, uri)
  }
}

function declare(tag: StartTag, prefix: string, uri: string): void {
  tag.shadowed ??= new Map()
  tag.shadowed.set(prefix, tag.bound.get(prefix))
  tag.bound.set(prefix, uri)
  tag.declarations += ` ${prefix === '' ? 'xmlns' : `xmlns:${prefix}`}="${escapeAttribute(uri)}"`
}

/** Text content: what markup would misread is escaped, and CR, which every parser would turn into LF (XML 1.0, 2.11). */
export function escapeText(text: string): string {
  const first = text.search(/[&<>\r]/)
  return first < 0 ? text : escapeFrom(text, first, false)
}

/** An attribute value for either kind of quotes, with white space kept from normalisation (XML 1.0, 3.3.3). */
export function escapeAttribute(text: string): string {
  const first = text.search(/[&<>"'\t\n\r]/)
  return first < 0 ? text : escapeFrom(text, first, true)
}

function escapeFrom(text: string, first: number, inAttribute: boolean): string {
  let escaped = ''
  let copied = 0
  for (let at = first; at < text.length; at += 1) {
    const reference = referenceFor(text.charCodeAt(at), inAttribute)
    if (reference === undefined) continue
    escaped += text.slice(copied, at) + reference
    copied = at + 1
  }
  return escaped + text.slice(copied)
}

function referenceFor(code: number, inAttribute: boolean): string | undefined {
  switch (code) {
    case 0x26:
      return '&amp;'
    case 0x3c:
      return '&lt;'
    case 0x3e:
      return '&gt;'
    case 0x0d:
      return '&#13;'
    case 0x22:
      return inAttribute ? '&quot;' : undefined
    case 0x27:
      return inAttribute ? '&apos;' : undefined
    case 0x09:
      return inAttribute ? '&#9;' : undefined
    case 0x0a:
      return inAttribute ? '&#10;' : undefined
    default:
      return undefined
  }
}

/** Whether XML 1.0 can hold the text at all (XML 1.0, 2.2 Char): no control characters, no halves of surrogate pairs. */
export function isXmlText(text: string): boolean {
  // Without surrogates the cheap test decides.
  if (!/[^\t\n\r\x20-\ud7ff\ue000-\ufffd]/.test(text)) return true
  return /^[\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u.test(text)
}
