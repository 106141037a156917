import { attributeOf, type Element } from '../domain/element.ts'
import type { Finding } from '../domain/rejection.ts'
import type { LibraryError, Report } from './libxml2.ts'
import { attributePath, createPlaceNamer, type NamedPlace, prefixFor, simpleValue } from './node-path.ts'
import { ruleOf } from './rules.ts'
import { shown } from './shown.ts'

/** How findings are told: by which layer, with whose prefixes, and whether lines mean something to the sender. */
export interface FindingsView {
  readonly layer: 'xml' | 'xsd' | 'rng'
  readonly root: Element
  readonly namespaces: Readonly<Record<string, string>>
  /** Sealed documents only: lines of an in-band one are ours, not the sender's. */
  readonly withLines: boolean
}

const MESSAGE_LENGTH = 500

/** libxml2's errors as findings that a sender can act on; never empty, since it is asked only of what is not valid. */
export function findingsOf(report: Report, view: FindingsView): readonly Finding[] {
  const placeOf = createPlaceNamer(view.root, view.namespaces)
  const findings = withoutEchoes(report.errors, view.layer).map((error) =>
    findingOf(error, placeAt(error, placeOf), view),
  )
  if (report.total > report.errors.length) findings.push(more(report, view))
  return findings.length > 0 ? findings : [unexplained(view)]
}

/**
 * RELAX NG: after the cause come an error for the data type, for the attributes, and for the content of each element around.
 * They are put aside where a cause was given.
 */
const ECHOES: readonly number[] = [24, 25, 31]

function withoutEchoes(errors: readonly LibraryError[], layer: string): readonly LibraryError[] {
  if (layer !== 'rng') return errors
  const causes = errors.filter((error) => !ECHOES.includes(error.code))
  return causes.length > 0 ? causes : errors
}

/**
 * RELAX NG: an error of attributes is reported at the node that was looked at last, which may be a child of the element
 * that it names.
 */
function placeAt({ nodePath, message }: LibraryError, placeOf: (nodePath: string) => NamedPlace): NamedPlace {
  const place = placeOf(nodePath)
  const named = /^Element (\S+) failed to validate attributes/.exec(message)?.[1]
  if (named === undefined || place.elements.at(-1)?.name === named) return place
  return place.elements.at(-2)?.name === named ? placeOf(nodePath.slice(0, nodePath.lastIndexOf('/'))) : place
}

function findingOf(error: LibraryError, place: NamedPlace, view: FindingsView): Finding {
  const { layer, namespaces } = view
  const element = place.elements.at(-1)
  const { attribute, text } = takeApart(error.message.trim())
  const path = attribute ? place.path + attributePath(attribute.name, attribute.uri, namespaces) : place.path
  const value = element && foundAt(element, attribute)
  return {
    layer,
    rule: ruleOf(error.code, layer),
    severity: 'error',
    path,
    ...(view.withLines && error.line > 0 ? { line: error.line } : {}),
    ...(view.withLines && error.column > 0 ? { column: error.column } : {}),
    message: clean(withoutBlank(text), namespaces),
    ...(value === undefined || value === '' ? {} : { value: shown(value) }),
  }
}

/** RELAX NG: libxml2 leaves the name out where a choice or a sequence of elements is missing. */
function withoutBlank(text: string): string {
  return text.replace(
    /^Expecting an element\s+, got nothing$/,
    'Expecting an element, got nothing: one is missing here',
  )
}

interface AttributeName {
  readonly name: string
  readonly uri: string
}

/** `Element '{uri}name', attribute '{uri}name': text`: the element is in the path already. */
function takeApart(message: string): { readonly attribute: AttributeName | undefined; readonly text: string } {
  const match = /^Element '[^']*'(?:, attribute '(?:\{([^}]*)\})?([^']*)')?: ([\s\S]*)$/.exec(message)
  if (!match) return { attribute: undefined, text: message }
  const [, uri = '', name, text = ''] = match
  return { attribute: name === undefined ? undefined : { name, uri }, text }
}

function foundAt(element: Element, attribute: AttributeName | undefined): string | undefined {
  return attribute ? attributeOf(element, attribute.name, attribute.uri) : simpleValue(element)
}

/** Names in the type's prefixes, and values cut: the document is never echoed as a whole. */
function clean(text: string, namespaces: Readonly<Record<string, string>>): string {
  const named = text.replace(/\{([^{}]*)\}([^\s',{}]+)/g, (_, uri: string, name: string) => {
    const prefix = prefixFor(uri, namespaces)
    return prefix === undefined ? name : `${prefix}:${name}`
  })
  const cut = named.replace(/'([^']{80})[^']*'/g, "'$1…'")
  return cut.length > MESSAGE_LENGTH ? `${shown(cut, MESSAGE_LENGTH)}…` : shown(cut, MESSAGE_LENGTH)
}

function more({ errors, total }: Report, { layer }: FindingsView): Finding {
  const message = `${total - errors.length} more findings; the first ${errors.length} are told`
  return { layer, rule: 'more', severity: 'error', path: '', message }
}

function unexplained({ layer }: FindingsView): Finding {
  return {
    layer,
    rule: 'invalid',
    severity: 'error',
    path: '',
    message: 'The document is not valid; the validator gives no reason',
  }
}
