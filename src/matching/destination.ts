import { type Destination, destinationName } from '../domain/delivery.ts'
import { type FieldScalar, isInexact } from '../domain/fields.ts'
import { bareJid, escapeLocalpart, normaliseJid } from '../domain/jid.ts'
import type { DestinationTemplate } from '../domain/route.ts'
import { compileAllow, mayBacktrackForLong } from './allow.ts'
import type { Complain, RouteProblem } from './problem.ts'
import type { Subject } from './subject.ts'
import { fillTemplate, PLACE, parseTemplate, percentEncode, placeValues, type Template } from './template.ts'
import { showText } from './value.ts'

/** One entry of a route's `deliver`, compiled. */
export interface CompiledDestination {
  readonly template: DestinationTemplate
  /** The template written like a destination, with its places unfilled. */
  readonly target: Destination
  /** Names of the places in it; none where it is one fixed address. */
  readonly places: readonly string[]
  readonly allow: RegExp | undefined
  /** Pure, and bounded by the template's `maxNodes`. */
  readonly fill: (subject: Subject) => Filling
}

/** Distinct destinations in the order of the values, and what could not be filled. */
export interface Filling {
  readonly destinations: readonly Destination[]
  readonly refusals: readonly Refusal[]
}

export interface Refusal {
  readonly reason: RefusalReason
  /** The value, or what came of it; cut to 80 characters. */
  readonly value: string
  readonly text: string
}

export type RefusalReason =
  /** The field has no value. */
  | 'absent'
  /** It has one, but that is no text: '' or null. */
  | 'empty'
  /** It is a whole number too large to be known to the last digit. */
  | 'inexact'
  /** The filled template doesn't match `allow`. */
  | 'allow'
  /** Longer than 1,023 bytes. */
  | 'too-long'
  | 'not-a-jid'
  /** More destinations than `maxNodes`: none of them is reached. */
  | 'too-many'

const MAX_ADDRESS_BYTES = 1023

/** What addresses are made by, for one spelling of them: most of many routes deliver to the same few. */
export type Makers = Map<string, Maker>

/**
 * Undefined where the template has an error: it is complained of.
 *
 * @param makers What was compiled before, of this and other templates; what is new is added.
 */
export function compileDestination(
  template: DestinationTemplate,
  at: number,
  complain: Complain,
  makers: Makers = new Map(),
): CompiledDestination | undefined {
  const here = (code: Parameters<Complain>[0], key: string, message: string, severity?: RouteProblem['severity']) =>
    complain(code, ['deliver', at, key], message, severity)
  const made = makerOf(template.target, here, makers)
  if (!made) return undefined
  const { places, target, make, fixed } = made
  if (places.length === 0) return { template, target, places, allow: undefined, fill: fixed }
  const allow = compileAllowOf(template, here)
  if (!allow) return undefined
  const fill = (subject: Subject) => fillAll(places, make, allow, template.maxNodes, subject)
  return { template, target, places, allow, fill }
}

type Here = (code: Parameters<Complain>[0], key: string, message: string, severity?: RouteProblem['severity']) => void

/** Makes an address of one raw value for each place. */
type Make = (values: ReadonlyMap<string, string>) => Made
type Made =
  | { readonly kind: 'address'; readonly destination: Destination; readonly text: string }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly text: string }

export interface Maker {
  readonly target: Destination
  /** Where there are no places. */
  readonly fixed: CompiledDestination['fill']
  readonly places: readonly string[]
  readonly make: Make
}

function makerOf(target: DestinationTemplate['target'], here: Here, makers: Makers): Maker | undefined {
  // No JID holds a line break: a service and its node are never another one's.
  const spelling = target.kind === 'node' ? `${target.service}\n${target.node}` : target.jid
  const known = makers.get(spelling)
  if (known && known.target.kind === target.kind) return known
  const made = target.kind === 'node' ? nodeMaker(target, here) : jidMaker(target.jid, here)
  if (made) makers.set(spelling, made)
  return made
}

function nodeMaker(target: { readonly service: string; readonly node: string }, here: Here): Maker | undefined {
  const service = serviceOf(target.service, here)
  const template = templateOf(target.node, 'node', here)
  if (service === undefined || !template) return undefined
  if (target.node === '' || /\p{Cc}/u.test(target.node)) {
    here('address-invalid', 'node', `Cannot publish to node ${showText(target.node)}: it is not a node name`)
    return undefined
  }
  const make: Make = (values) => {
    const node = fillTemplate(template, encodeAll(values, percentEncode))
    if (tooLong(node)) return { kind: 'refused', reason: 'too-long', text: node }
    return { kind: 'address', destination: { kind: 'node', service, node }, text: node }
  }
  return maker({ kind: 'node', service, node: target.node }, template.places, make)
}

function serviceOf(text: string, here: Here): string | undefined {
  if (/[{}]/.test(text)) {
    here('place-in-domain', 'pubsub', `Cannot fill ${text}: a place may not stand in the address of a service`)
    return undefined
  }
  const service = normaliseJid(text)
  if (service === undefined) here('address-invalid', 'pubsub', `Cannot publish to ${showText(text)}: it is not a JID`)
  return service
}

function templateOf(text: string, key: string, here: Here): Template | undefined {
  const template = parseTemplate(text)
  if (!template) here('template-invalid', key, `Cannot read the template ${text}: a brace opens or closes no {place}`)
  return template
}

function jidMaker(text: string, here: Here): Maker | undefined {
  // Split as RFC 7622 3.1 says, before anything is filled in: no value can move the parts.
  const slash = text.indexOf('/')
  const bare = bareJid(text)
  const at = bare.indexOf('@')
  const domain = bare.slice(at + 1)
  if (/[{}]/.test(domain)) {
    here('place-in-domain', 'jid', `Cannot fill ${text}: a place may stand in the localpart or the resource only`)
    return undefined
  }
  const local = templateOf(at < 0 ? '' : bare.slice(0, at), 'jid', here)
  const resource = templateOf(slash < 0 ? '' : text.slice(slash + 1), 'jid', here)
  if (!local || !resource) return undefined
  const places = [...new Set([...local.places, ...resource.places])]
  const sample = normaliseJid(text.replace(PLACE, 'x'))
  if (sample === undefined) {
    here('address-invalid', 'jid', `Cannot deliver to ${showText(text)}: it is not a JID`)
    return undefined
  }
  const make: Make = (values) => {
    const localpart = fillTemplate(local, encodeAll(values, escapeLocalpart))
    const filled = `${at < 0 ? '' : `${localpart}@`}${domain}${slash < 0 ? '' : `/${fillTemplate(resource, values)}`}`
    const jid = normaliseJid(filled)
    // XEP-0106 4.1: an escaped localpart neither begins nor ends with a space.
    if (jid === undefined || /^\\20|\\20$/.test(localpart)) {
      return { kind: 'refused', reason: tooLong(localpart) ? 'too-long' : 'not-a-jid', text: filled }
    }
    return { kind: 'address', destination: { kind: 'jid', jid }, text: jid }
  }
  return maker({ kind: 'jid', jid: places.length === 0 ? sample : text }, places, make)
}

function maker(target: Destination, places: readonly string[], make: Make): Maker {
  const filling = { destinations: [target], refusals: [] }
  return { target, places, make, fixed: () => filling }
}

function compileAllowOf({ allow }: DestinationTemplate, here: Here): RegExp | undefined {
  if (allow === undefined) {
    here('allow-missing', 'allow', 'Cannot fill the template: `allow` must say which addresses a document may reach')
    return undefined
  }
  const compiled = compileAllow(allow)
  if (!compiled) here('allow-invalid', 'allow', `Cannot compile \`allow\`: ${allow} is not a regular expression`)
  if (compiled && mayBacktrackForLong(allow)) {
    const message = `\`allow\` repeats a repetition: some values would take very long to compare with ${allow}`
    here('allow-slow', 'allow', message, 'warning')
  }
  return compiled
}

function fillAll(places: readonly string[], make: Make, allow: RegExp, maxNodes: number, subject: Subject): Filling {
  const refusals: Refusal[] = []
  const choices = places.map((name) => choicesOf(name, subject, refusals))
  const count = choices.reduce((product, texts) => product * texts.length, 1)
  if (count > maxNodes) {
    refusals.push(refusal('too-many', String(count), `${count} addresses, at most ${maxNodes} are allowed`))
    return { destinations: [], refusals }
  }
  const destinations = new Map<string, Destination>()
  for (const values of combinations(places, choices)) {
    const made = make(values)
    if (made.kind === 'refused') refusals.push(refusal(made.reason, made.text, describe(made.reason, made.text)))
    else if (!allow.test(made.text)) refusals.push(refusal('allow', made.text, describe('allow', made.text)))
    else destinations.set(destinationName(made.destination), made.destination)
  }
  return { destinations: [...destinations.values()], refusals }
}

/** The distinct texts that a place can take; what has no text is refused by itself. */
function choicesOf(name: string, subject: Subject, refusals: Refusal[]): readonly string[] {
  const values = placeValues(name, subject)
  const texts = values.filter(hasText)
  if (values.length === 0) refusals.push(refusal('absent', '', `{${name}} has no value`))
  else if (texts.length < values.length) refusals.push(refusal('empty', '', `{${name}} is empty`))
  const inexact = texts.find(isInexact)
  if (inexact !== undefined) refusals.push(refusal('inexact', String(inexact), inexactWords(name, inexact)))
  return [...new Set(texts.filter((value) => !isInexact(value)).map(String))]
}

/** Two documents with different numbers would go to one address. */
function inexactWords(name: string, value: FieldScalar): string {
  return `{${name}} is a number beyond 2^53, of which ${value} is known and not every digit: send it as a text`
}

function hasText(value: FieldScalar): boolean {
  return value !== null && value !== ''
}

function* combinations(
  places: readonly string[],
  choices: readonly (readonly string[])[],
  chosen: ReadonlyMap<string, string> = new Map(),
): Generator<ReadonlyMap<string, string>> {
  const [place, ...otherPlaces] = places
  const [texts, ...otherChoices] = choices
  if (place === undefined || texts === undefined) {
    yield chosen
    return
  }
  for (const text of texts) yield* combinations(otherPlaces, otherChoices, new Map([...chosen, [place, text]]))
}

function encodeAll(values: ReadonlyMap<string, string>, encode: (text: string) => string): ReadonlyMap<string, string> {
  return new Map(
    [...values].map(([name, text]) => [name, encode(text.length > MAX_ADDRESS_BYTES ? overlong(text) : text)]),
  )
}

// Enough to be refused for its length, and no more to encode than that.
function overlong(text: string): string {
  return text.slice(0, MAX_ADDRESS_BYTES + 1)
}

function tooLong(text: string): boolean {
  return text.length * 3 > MAX_ADDRESS_BYTES && new TextEncoder().encode(text).length > MAX_ADDRESS_BYTES
}

function describe(reason: RefusalReason, text: string): string {
  switch (reason) {
    case 'allow':
      return `${showText(text)} is not allowed`
    case 'too-long':
      return `${showText(text)} is longer than ${MAX_ADDRESS_BYTES} bytes`
    default:
      return `${showText(text)} is not a JID`
  }
}

function refusal(reason: RefusalReason, value: string, text: string): Refusal {
  return { reason, value: showText(value), text }
}
