import type { ElementDeclaration, Name, Particle, XsdSchema } from '../xsd/components.ts'
import { localNameOf, namespaceOfName } from '../xsd/symbols.ts'
import { type Label, labelsOf, type Shape, takesName } from './content.ts'
import type { Step } from './expression.ts'
import { declarationAt, namespacesIn, takes, undeclaredNames } from './wildcards.ts'

/** An element of a word of a content model, with its declaration in the schema whose word it is. */
export interface Chosen {
  readonly name: Name
  readonly declaration: ElementDeclaration
}

/** A child that both versions take at one place, and how the word goes that leads to it. */
export interface CommonChild {
  readonly chosen: Chosen
  readonly next: ElementDeclaration
  readonly before: readonly Chosen[]
  /** The old automaton's state behind it. */
  readonly state: number
}

/** A beginning that both take, after which only the old version goes on, or ends. */
export interface Miss {
  readonly message: string
  readonly before: readonly Chosen[]
  readonly state: number
}

export interface WordComparison {
  readonly children: readonly CommonChild[]
  readonly misses: readonly Miss[]
  /** Why the comparison is not complete. */
  readonly open: string | undefined
}

export interface Versions {
  readonly old: XsdSchema
  readonly next: XsdSchema
}

const STATES_AT_MOST = 20_000
const MISSES_AT_MOST = 6

/** Compares which children may follow one another: the words of the old content model must all be the new one's. */
export function compareWords(old: Shape, next: Shape, versions: Versions): WordComparison {
  if (!old.hasWords || !next.hasWords) return compareParticles(old.particle, next.particle, versions)
  if (old.all && next.all) return compareAll(old, next, versions)
  const children = new Map<string, CommonChild>()
  const misses: Miss[] = []
  let open: string | undefined
  const start: Reached = { state: old.words.start, others: [next.words.start], before: undefined }
  const seen = new Set([keyOf(start)])
  const missed = new Set<Reached>()
  const pending = [start]
  for (const reached of pending) {
    if (old.words.accepts(reached.state) && !reached.others.some((other) => next.words.accepts(other))) {
      addMiss(misses, endsEarly(reached, next))
    }
    for (const symbol of symbolsAt(reached, old, next, versions)) {
      const { chosen, then } = symbol
      const taken = advance(next, reached.others, chosen.name, versions.next)
      if (taken.unknown) open ??= `whether ${chosen.name} is declared can’t be told`
      if (taken.others.length === 0) {
        // What else isn't allowed at the same place says nothing new.
        if (!taken.unknown && !missed.has(reached)) addMiss(misses, notAllowed(reached, chosen, then, next))
        missed.add(reached)
        continue
      }
      if (taken.types.size > 1) open ??= `${chosen.name} may be declared in two ways at one place`
      const [declaration] = taken.declarations
      const after: Reached = { state: then, others: taken.others, before: { reached, chosen } }
      const pair = pairKey(chosen.declaration, declaration!)
      if (!children.has(pair)) {
        children.set(pair, { chosen, next: declaration!, before: wordTo(reached), state: then })
      }
      if (seen.has(keyOf(after))) continue
      seen.add(keyOf(after))
      pending.push(after)
    }
    if (seen.size > STATES_AT_MOST)
      return { children: [...children.values()], misses, open: 'the content model is too large' }
  }
  return { children: [...children.values()], misses, open }
}

interface Reached {
  readonly state: number
  readonly others: readonly number[]
  readonly before: { readonly reached: Reached; readonly chosen: Chosen } | undefined
}

function keyOf({ state, others }: Reached): string {
  return `${state} ${others.join(' ')}`
}

function wordTo(reached: Reached): readonly Chosen[] {
  const word: Chosen[] = []
  for (let at: Reached | undefined = reached; at?.before; at = at.before.reached) word.unshift(at.before.chosen)
  return word
}

const numbers = new WeakMap<object, number>()
let lastNumber = 0

function numberOf(one: object): number {
  const known = numbers.get(one)
  if (known !== undefined) return known
  lastNumber += 1
  numbers.set(one, lastNumber)
  return lastNumber
}

/** One text for two objects. */
export function pairKey(one: object, other: object): string {
  return `${numberOf(one)} ${numberOf(other)}`
}

function addMiss(misses: Miss[], miss: Miss): void {
  if (misses.length < MISSES_AT_MOST && !misses.some(({ message }) => message === miss.message)) misses.push(miss)
}

function endsEarly(reached: Reached, next: Shape): Miss {
  const end = reached.before ? `end after ${localNameOf(reached.before.chosen.name)}` : 'be empty'
  return {
    message: `it can’t ${end}: ${expectedAt(reached, next)}`,
    before: wordTo(reached),
    state: reached.state,
  }
}

function expectedAt({ others }: Reached, next: Shape): string {
  const labels = others.flatMap((other) => next.words.steps(other).map(({ label }) => labelName(label)))
  const expected = [...new Set(labels)]
  if (expected.length === 0) return 'nothing can follow'
  return `${expected.slice(0, 3).join(', ')}${expected.length > 3 ? ', …' : ''} can follow`
}

function labelName(label: Label): string {
  return label.kind === 'element' ? localNameOf(label.name) : 'an element of a wildcard'
}

function notAllowed(reached: Reached, chosen: Chosen, state: number, next: Shape): Miss {
  const where = reached.before ? ` after ${localNameOf(reached.before.chosen.name)}` : ''
  const message = `${chosen.name} is not allowed${where}: ${expectedAt(reached, next)}`
  return { message, before: [...wordTo(reached), chosen], state }
}

interface Symbol {
  readonly chosen: Chosen
  readonly then: number
}

function* symbolsAt({ state, others }: Reached, old: Shape, next: Shape, versions: Versions): Generator<Symbol> {
  const steps = old.words.steps(state)
  let names: readonly Name[] | undefined
  for (const { label, next: then } of steps) {
    if (label.kind === 'element') {
      yield { chosen: { name: label.name, declaration: label.declaration }, then }
      continue
    }
    names ??= namesFor(
      steps,
      others.flatMap((other) => next.words.steps(other)),
      versions,
    )
    for (const name of names) {
      if (!takes(label.wildcard, name)) continue
      const declaration = declarationAt(label, name, versions.old)
      if (typeof declaration === 'object') yield { chosen: { name, declaration }, then }
    }
  }
}

/** All names that a wildcard of the one and the places of the other may tell apart. */
function namesFor(
  mine: readonly Step<Label>[],
  others: readonly Step<Label>[],
  { old, next }: Versions,
): readonly Name[] {
  const labels = [...mine, ...others].map(({ label }) => label)
  const elements = labels.flatMap((label) => (label.kind === 'element' ? [label.name] : []))
  const namespaces = labels.flatMap((label) =>
    label.kind === 'element' ? [namespaceOfName(label.name)] : namespacesIn(label.wildcard),
  )
  const declared = [...old.elements.keys(), ...next.elements.keys()]
  return [...new Set([...undeclaredNames([...namespaces, ...declared.map(namespaceOfName)]), ...elements, ...declared])]
}

interface Taken {
  readonly others: readonly number[]
  readonly declarations: readonly ElementDeclaration[]
  readonly types: ReadonlySet<unknown>
  readonly unknown: boolean
}

function advance({ words }: Shape, states: readonly number[], name: Name, schema: XsdSchema): Taken {
  const others = new Set<number>()
  const declarations = new Set<ElementDeclaration>()
  let unknown = false
  const namespace = namespaceOfName(name)
  for (const state of states) {
    for (const { label, next } of words.steps(state)) {
      if (!takesName(label, name, namespace)) continue
      const declaration = declarationAt(label, name, schema)
      if (declaration === 'unknown') unknown = true
      if (typeof declaration !== 'object') continue
      others.add(next)
      declarations.add(declaration)
    }
  }
  const sorted = [...others].sort((one, other) => one - other)
  return {
    others: sorted,
    declarations: [...declarations],
    types: new Set([...declarations].map(({ type }) => type)),
    unknown,
  }
}

/** Two `xs:all`: member by member, without walking through the orders. */
function compareAll(old: Shape, next: Shape, versions: Versions): WordComparison {
  const mine = membersOf(old, versions.old)
  const others = membersOf(next, versions.next)
  const needed = mine.filter(({ min }) => min > 0)
  const beginning = needed.flatMap(({ labels }) => labels.slice(0, 1))
  const children: CommonChild[] = []
  const misses: Miss[] = []
  for (const member of mine) {
    for (const chosen of member.labels) {
      const rest = needed.filter((one) => one !== member).flatMap(({ labels }) => labels.slice(0, 1))
      const found = others.find(({ labels }) => labels.some(({ name }) => name === chosen.name))
      const same = found?.labels.find(({ name }) => name === chosen.name)
      if (same) children.push({ chosen, next: same.declaration, before: rest, state: ENDED })
      else addMiss(misses, { message: `${chosen.name} is not allowed`, before: [...rest, chosen], state: ENDED })
    }
  }
  for (const { labels } of others.filter(({ min }) => min > 0)) {
    if (beginning.some(({ name }) => labels.some((label) => label.name === name))) continue
    addMiss(misses, { message: `${labels[0]?.name} must be there`, before: beginning, state: ENDED })
  }
  const isGrouped = [...mine, ...others].some(({ labels }) => labels.length > 1)
  const open = isGrouped ? 'substitution groups within xs:all are not followed' : undefined
  return { children, misses, open }
}

/** The word is whole. */
export const ENDED = -1

function membersOf({ all }: Shape, schema: XsdSchema) {
  return (all ?? []).map((particle) => {
    const labels = particle.kind === 'element' ? labelsOf(particle.declaration, schema) : []
    return { min: particle.min, labels: labels.flatMap((label) => (label.kind === 'element' ? [label] : [])) }
  })
}

const TOO_LARGE = 'the content model isn’t understood, or is too large'

/** Part by part, where automata would be too large: what is built alike and may occur as often holds all that it held. */
function compareParticles(old: Particle | undefined, next: Particle | undefined, versions: Versions): WordComparison {
  const children: CommonChild[] = []
  const isKept = old !== undefined && next !== undefined && keeps(old, next, versions, children)
  return isKept ? { children, misses: [], open: undefined } : { children: [], misses: [], open: TOO_LARGE }
}

function keeps(old: Particle, next: Particle, versions: Versions, children: CommonChild[]): boolean {
  if (next.min > old.min || next.max < old.max) return false
  if (old.kind === 'element' && next.kind === 'element') {
    const others = labelsOf(next.declaration, versions.next)
    return labelsOf(old.declaration, versions.old).every((label) => {
      const same = others.find((one) => one.kind === 'element' && label.kind === 'element' && one.name === label.name)
      if (label.kind !== 'element' || same?.kind !== 'element') return false
      children.push({ chosen: label, next: same.declaration, before: [], state: UNREACHED })
      return true
    })
  }
  const isGroup = (one: Particle) => one.kind === 'sequence' || one.kind === 'choice'
  if (!isGroup(old) || old.kind !== next.kind) return false
  const [mine, others] = [partsOf(old), partsOf(next)]
  return mine.length === others.length && mine.every((part, at) => keeps(part, others[at]!, versions, children))
}

function partsOf(particle: Particle): readonly Particle[] {
  return 'particles' in particle ? particle.particles : []
}

/** No word that leads there was looked for. */
export const UNREACHED = -2
