import { takesNamespace } from '../xsd/children.ts'
import type {
  ComplexType,
  ElementDeclaration,
  Name,
  Particle,
  SimpleType,
  TypeDefinition,
  UnknownType,
  Wildcard,
  XsdSchema,
} from '../xsd/components.ts'
import { type Automaton, type Expression, makeAutomaton, type Step } from './expression.ts'

/** What a place in a content model takes: elements of a name, or those that a wildcard lets stand. */
export type Label =
  | { readonly kind: 'element'; readonly name: Name; readonly declaration: ElementDeclaration }
  | { readonly kind: 'wildcard'; readonly wildcard: Wildcard }

/** What stands between the tags of elements of a type. */
export interface Shape {
  readonly text: 'none' | 'white' | 'any' | SimpleType | UnknownType
  readonly words: Automaton<Label>
  /** False where there is no automaton: it would be too large, or a part isn't understood. */
  readonly hasWords: boolean
  readonly particle: Particle | undefined
  /** Of an `xs:all`: elements in any order, each at most once. */
  readonly all: readonly Particle[] | undefined
}

const NOTHING: Automaton<Label> = { start: 0, accepts: () => true, steps: () => [] }
const NO_ELEMENTS = { words: NOTHING, hasWords: true, particle: undefined, all: undefined } as const

/** Undefined where the content isn't understood. */
export function shapeOf(type: TypeDefinition, schema: XsdSchema): Shape | undefined {
  if (type.kind === 'unknown') return undefined
  if (type.kind === 'simple') return { text: type, ...NO_ELEMENTS }
  const { content, mixed } = type
  switch (content.kind) {
    case 'unknown':
      return undefined
    case 'empty':
      return { text: mixed ? 'any' : 'none', ...NO_ELEMENTS }
    case 'simple':
      return { text: content.type, ...NO_ELEMENTS }
    case 'elements':
      return shapeOfElements(type, content.particle, schema)
  }
}

function shapeOfElements({ mixed }: ComplexType, particle: Particle, schema: XsdSchema): Shape {
  const text = mixed ? 'any' : 'white'
  const words = wordsOf(particle, schema)
  const all = particle.kind === 'all' && particle.min > 0 ? particle.particles : undefined
  return { text, words: words ?? NOTHING, hasWords: words !== undefined, particle, all }
}

function wordsOf(particle: Particle, schema: XsdSchema): Automaton<Label> | undefined {
  if (particle.kind === 'all') return automatonOfAll(particle.particles, particle.min, schema)
  const expression = expressionOf(particle, schema)
  return expression && makeAutomaton(expression)
}

function expressionOf(particle: Particle, schema: XsdSchema): Expression<Label> | undefined {
  const part = expressionOfTerm(particle, schema)
  if (!part) return undefined
  const { min, max } = particle
  return min === 1 && max === 1 ? part : { kind: 'repeat', part, min, max }
}

function expressionOfTerm(particle: Particle, schema: XsdSchema): Expression<Label> | undefined {
  switch (particle.kind) {
    case 'element':
      return choice(labelsOf(particle.declaration, schema))
    case 'wildcard':
      return { kind: 'label', label: { kind: 'wildcard', wildcard: particle.wildcard } }
    case 'sequence':
    case 'choice': {
      const parts = particle.particles.map((inner) => expressionOf(inner, schema))
      const known = parts.filter((part) => part !== undefined)
      return known.length === parts.length ? { kind: particle.kind, parts: known } : undefined
    }
    // XML Schema 1.0 has xs:all as the whole of a content model only.
    case 'all':
    case 'unknown':
      return undefined
  }
}

function choice(labels: readonly Label[]): Expression<Label> {
  return { kind: 'choice', parts: labels.map((label) => ({ kind: 'label', label })) }
}

/** The element and those that may stand in for it. */
export function labelsOf(declaration: ElementDeclaration, schema: XsdSchema): readonly Label[] {
  return schema
    .substitutesFor(declaration)
    .filter(({ abstract }) => !abstract)
    .map((one) => ({ kind: 'element', name: one.name, declaration: one }))
}

const MEMBERS_AT_MOST = 30

/** States are the sets of members that have been seen, as bits. */
function automatonOfAll(particles: readonly Particle[], min: number, schema: XsdSchema): Automaton<Label> | undefined {
  if (particles.length > MEMBERS_AT_MOST || particles.some(({ kind }) => kind !== 'element')) return undefined
  const members = particles.map((particle) =>
    particle.kind === 'element' ? labelsOf(particle.declaration, schema) : [],
  )
  const needed = particles.reduce((bits, particle, at) => (particle.min > 0 ? bits | (1 << at) : bits), 0)
  return {
    start: 0,
    accepts: (state) => (state & needed) === needed || (min === 0 && state === 0),
    steps: (state) =>
      members.flatMap((labels, at): Step<Label>[] => {
        return (state & (1 << at)) === 0 ? labels.map((label) => ({ label, next: state | (1 << at) })) : []
      }),
  }
}

export function takesName(label: Label, name: Name, namespace: string): boolean {
  return label.kind === 'element' ? label.name === name : takesNamespace(label.wildcard, namespace)
}
