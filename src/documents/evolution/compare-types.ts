import { ANY_TYPE } from '../xsd/built-in-types.ts'
import type { ElementDeclaration, Name, TypeDefinition, XsdSchema } from '../xsd/components.ts'
import { localNameOf } from '../xsd/symbols.ts'
import { compareAttributes } from './attributes.ts'
import { shapeOf } from './content.ts'
import { concrete, createInstances, type Instances, type Sample, type Typed } from './instances.ts'
import { type findGap, isInteger } from './simple-inclusion.ts'
import { isBuiltIn, isIdentity, isSameSpace, samplesOf, takes } from './simple-values.ts'
import { compareTexts } from './texts.ts'
import type { Difference } from './verdict.ts'
import { SKIPPED_TYPE } from './wildcards.ts'
import { type Chosen, compareWords, pairKey } from './words.ts'

/** A difference with elements that may show it, in the place where it was found. */
export interface Suspicion extends Difference {
  readonly samples: readonly (() => Sample | undefined)[]
}

export interface TypesCompared {
  /** Empty: every document that the old version accepts is accepted by the new one. */
  readonly suspicions: readonly Suspicion[]
  /** Pairs of types that were compared. */
  readonly pairs: number
}

export interface CompareOptions {
  /** Root elements of the documents; all global elements of the old version where none are given. */
  readonly roots?: readonly Name[] | undefined
  readonly budgetMs: number
}

/** One element in both versions, and how documents lead to it. */
export interface Visit {
  readonly of: Typed
  readonly next: ElementDeclaration
  readonly nextType: TypeDefinition
  readonly way: Way | undefined
}

interface Way {
  readonly parent: Visit
  readonly before: readonly Chosen[]
  readonly state: number
}

interface Comparing {
  readonly old: XsdSchema
  readonly next: XsdSchema
  readonly instances: Instances
  readonly suspicions: Suspicion[]
  readonly pending: Visit[]
  readonly seen: Set<string>
  readonly seenElements: Set<string>
  /** What may be compared by identity constraints isn't the same any more. */
  readonly values: { changed: boolean; identities: Visit | undefined; referred: boolean }
}

const SUSPICIONS_AT_MOST = 200

/**
 * Compares two XML Schemas by walking through all pairs of types that one element can have in both. XML Schema lets the
 * type of an element depend on its parent's type and its place alone (a single-type tree grammar), so that inclusion of the
 * documents is inclusion of content, attributes and values for each pair (docs/adr/0012-versions-are-compared-by-proof.md).
 */
export function compareTypes(old: XsdSchema, next: XsdSchema, { roots, budgetMs }: CompareOptions): TypesCompared {
  const comparing: Comparing = {
    old,
    next,
    instances: createInstances(old),
    suspicions: [],
    pending: [],
    seen: new Set(),
    seenElements: new Set(),
    values: { changed: false, identities: undefined, referred: false },
  }
  if (old.blocks || next.blocks) suspect(comparing, undefined, '“block” is not followed', [])
  startAtRoots(comparing, roots ?? [...old.elements.keys()])
  const endMs = performance.now() + budgetMs
  for (let visit = comparing.pending.shift(); visit; visit = comparing.pending.shift()) {
    if (performance.now() > endMs) {
      suspect(comparing, visit, `the comparison took more than ${budgetMs} ms`, [])
      break
    }
    if (comparing.suspicions.length >= SUSPICIONS_AT_MOST) break
    compareVisit(comparing, visit)
  }
  const { changed, identities } = comparing.values
  if (changed && identities) {
    suspect(comparing, identities, 'identity constraints may compare values in another way', [])
  }
  return { suspicions: comparing.suspicions, pairs: comparing.seen.size }
}

function startAtRoots(comparing: Comparing, roots: readonly Name[]): void {
  for (const name of roots) {
    const declaration = comparing.old.elements.get(name)
    if (!declaration || declaration.abstract) continue
    const next = comparing.next.elements.get(name)
    const chosen = { name, declaration }
    if (next && !next.abstract) {
      visitElement(comparing, chosen, next, undefined)
      continue
    }
    const message = next ? `${name} is abstract` : `there is no element ${name}`
    comparing.suspicions.push({
      path: `/${localNameOf(name)}`,
      message,
      old: declaration.at,
      new: next?.at ?? '',
      samples: [() => comparing.instances.smallest(chosen)],
    })
  }
}

function suspect(
  { suspicions, instances }: Comparing,
  visit: Visit | undefined,
  message: string,
  samples: readonly (() => Sample | undefined)[],
  below = '',
): void {
  suspicions.push({
    path: visit ? pathTo(visit) + below : '',
    message,
    old: visit ? placeOf(visit.of.type, visit.of.declaration) : '',
    new: visit ? placeOf(visit.nextType, visit.next) : '',
    samples: visit ? samples.map((make) => () => wrap(visit, make(), instances)) : [],
  })
}

/** A type of its own says more than the element that names it. */
function placeOf(type: TypeDefinition, { at }: ElementDeclaration): string {
  return type.kind !== 'unknown' && type.at !== '' ? type.at : at
}

function pathTo({ of, way }: Visit): string {
  return `${way ? pathTo(way.parent) : ''}/${localNameOf(of.name)}`
}

/** The sample in a smallest document that holds it. */
function wrap({ way }: Visit, sample: Sample | undefined, instances: Instances): Sample | undefined {
  if (!sample || !way) return sample
  const { parent, before, state } = way
  const after = instances.completion(parent.of.type, state)
  return after && wrap(parent, instances.withWord(parent.of, [...before, sample, ...after]), instances)
}

// ----------------------------------------------------------------------------------------------------- elements

function visitElement(comparing: Comparing, chosen: Chosen, next: ElementDeclaration, way: Way | undefined): void {
  const { declaration } = chosen
  const typed: Typed = { name: chosen.name, declaration, type: declaration.type, said: undefined }
  const visit: Visit = { of: typed, next, nextType: next.type, way }
  const key = pairKey(declaration, next)
  if (!comparing.seenElements.has(key)) {
    comparing.seenElements.add(key)
    compareDeclarations(comparing, visit)
  }
  visitTypes(comparing, visit)
  visitDerived(comparing, visit)
}

function visitTypes({ seen, pending }: Comparing, visit: Visit): void {
  const key = pairKey(visit.of.type, visit.nextType)
  if (seen.has(key)) return
  seen.add(key)
  pending.push(visit)
}

/** XML Schema 1, 2.6.1: what `xsi:type` may put in the type's place. */
function visitDerived(comparing: Comparing, visit: Visit): void {
  const { old, next, instances } = comparing
  const { type } = visit.of
  if (type.kind === 'unknown' || type === ANY_TYPE || type === SKIPPED_TYPE || visit.nextType === SKIPPED_TYPE) return
  if (type.kind === 'simple' && isBuiltIn(type)) return
  for (const derived of old.derivedFrom(type)) {
    if (derived.kind === 'unknown' || (derived.kind === 'complex' && derived.abstract) || derived.name === undefined)
      continue
    const of: Typed = { ...visit.of, type: derived, said: derived.name }
    const twin = next.types.get(derived.name)
    const inPlace =
      twin &&
      (twin === visit.nextType || visit.nextType === ANY_TYPE || next.derivedFrom(visit.nextType).includes(twin))
    const isAbstract = twin?.kind === 'complex' && twin.abstract
    const another: Visit = { ...visit, of, nextType: twin ?? visit.nextType }
    if (inPlace && !isAbstract) visitTypes(comparing, another)
    else if (!comparing.seen.has(pairKey(derived, visit.nextType))) {
      comparing.seen.add(pairKey(derived, visit.nextType))
      suspect(comparing, another, `xsi:type ${derived.name} is not allowed`, [() => instances.withWord(of)])
    }
  }
}

function compareDeclarations(comparing: Comparing, visit: Visit): void {
  const { instances } = comparing
  const { of, next } = visit
  const { declaration } = of
  if (visit.nextType === SKIPPED_TYPE) return
  if (declaration.nillable && !next.nillable && declaration.type !== SKIPPED_TYPE && declaration.type !== ANY_TYPE) {
    const nil = () => {
      const typed = concrete(of, comparing.old)
      const sample = typed && instances.withWord(typed, [])
      return sample && { ...sample, children: [], nil: true }
    }
    suspect(comparing, visit, 'it is not nillable', [nil])
  }
  compareFixed(comparing, visit)
  const added = next.identities.filter((one) => !declaration.identities.includes(one))
  if (added.length > 0) suspect(comparing, visit, `an identity constraint is new: ${added[0]}`, [])
  if (next.identities.length > 0) comparing.values.identities ??= visit
}

function compareFixed(comparing: Comparing, visit: Visit): void {
  const { instances } = comparing
  const { of, next } = visit
  const { declaration } = of
  const mine = simpleContentOf(declaration.type)
  const other = simpleContentOf(next.type)
  const withText = (text: string) => () => {
    const sample = instances.withWord(of, [])
    return sample && { ...sample, children: text === '' ? [] : [text] }
  }
  const isSameFixed = declaration.fixed === next.fixed && (declaration.type === next.type || isSameSpace(mine, other))
  if (next.fixed !== undefined && !isSameFixed) {
    const values = (mine ? samplesOf(mine) : []).filter((value) => value !== next.fixed && value !== '')
    suspect(comparing, visit, `its value is fixed to “${next.fixed}”`, values.slice(0, 3).map(withText))
  }
  // XML Schema 1, 3.3.4: an empty element has the default value.
  const isEmptyAllowed = (declaration.default ?? declaration.fixed) !== undefined
  const isFilled = (next.default ?? next.fixed) !== undefined
  if (mine && isEmptyAllowed && !isFilled && !(other && takes(other, '') === true)) {
    suspect(comparing, visit, 'an empty element has no default value', [withText('')])
  }
}

function simpleContentOf(type: TypeDefinition) {
  if (type.kind === 'simple') return type
  return type.kind === 'complex' && type.content.kind === 'simple' ? type.content.type : undefined
}

// -------------------------------------------------------------------------------------------------------- types

function compareVisit(comparing: Comparing, visit: Visit): void {
  const { instances } = comparing
  const { of, nextType } = visit
  const { type } = of
  if (nextType === SKIPPED_TYPE) return
  const open = [type, nextType].find((one) => one.kind === 'unknown')
  if (open?.kind === 'unknown') {
    suspect(comparing, visit, `the type isn’t understood: ${open.reason}`, [])
    return
  }
  // An abstract type stands for those that are derived from it.
  if (type.kind === 'complex' && type.abstract && of.said === undefined) return
  if (nextType.kind === 'complex' && nextType.abstract) {
    suspect(comparing, visit, 'its type is abstract', [() => instances.withWord(of)])
    return
  }
  compareAttributes(visit, comparing, (message, samples, name) =>
    suspect(comparing, visit, message, samples, name === undefined ? '' : `/@${localNameOf(name)}`),
  )
  compareContent(comparing, visit)
}

function compareContent(comparing: Comparing, visit: Visit): void {
  const { old, next, instances } = comparing
  const { of, nextType } = visit
  const [mine, other] = [shapeOf(of.type, old), shapeOf(nextType, next)]
  if (!mine || !other) {
    suspect(comparing, visit, 'the content model isn’t understood, or is too large', [])
    return
  }
  const { children, misses, open } = compareWords(mine, other, comparing)
  for (const { message, before, state } of misses) {
    const sample = () => {
      const after = instances.completion(of.type, state)
      return after && instances.withWord(of, [...before, ...after])
    }
    // What ends early is whole without what could follow.
    suspect(comparing, visit, message, [() => instances.withWord(of, before), sample])
  }
  if (open !== undefined) suspect(comparing, visit, open, [])
  compareTexts(mine, other, of, instances, (message, samples) => suspect(comparing, visit, message, samples))
  noteValues(comparing, mine.text, other.text)
  for (const { chosen, next: declaration, before, state } of children) {
    visitElement(comparing, chosen, declaration, { parent: visit, before, state })
  }
}

/** Keys compare values: `1` and `01` are one number and two texts. */
function noteValues({ values }: Comparing, mine: unknown, other: unknown): void {
  if (mine === other || typeof mine !== 'object' || typeof other !== 'object') return
  const [one, two] = [mine, other] as unknown as Parameters<typeof findGap>
  if (one.kind === 'unknown' || two.kind === 'unknown') values.changed = true
  else if (one.primitive !== two.primitive || one.variety !== two.variety) values.changed = true
  else if (isIdentity(one) !== isIdentity(two) || isInteger(one) !== isInteger(two)) values.changed = true
  else if (one.facets.whiteSpace !== two.facets.whiteSpace) values.changed = true
}
