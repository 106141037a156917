import type { ElementDeclaration, Name, SimpleType, TypeDefinition, UnknownType, XsdSchema } from '../xsd/components.ts'
import { namespaceOfName } from '../xsd/symbols.ts'
import { type Shape, shapeOf } from './content.ts'
import { samplesOf } from './simple-values.ts'
import { declarationAt, namespacesIn, takes, undeclaredNames } from './wildcards.ts'
import { type Chosen, ENDED, UNREACHED } from './words.ts'

/** An element of a sample document. */
export interface Sample {
  readonly name: Name
  readonly attributes: ReadonlyMap<Name, string>
  readonly children: readonly (Sample | string)[]
  /** Said by `xsi:type`. */
  readonly type: Name | undefined
  readonly nil: boolean
}

/** Makes small documents that are valid by a schema, as far as it is understood; the validator has the last word. */
export interface Instances {
  /** Undefined where none was found. */
  smallest(chosen: Chosen): Sample | undefined
  /** An element of the type, with these children; the smallest ones where none are given. */
  withWord(of: Typed, word?: readonly (Chosen | Sample)[]): Sample | undefined
  /** The rest of a shortest word of the type's content from a state on. */
  completion(type: TypeDefinition, state: number): readonly Chosen[] | undefined
}

/** An element with the type that it has, or says by `xsi:type` that it has. */
export interface Typed {
  readonly name: Name
  readonly declaration: ElementDeclaration
  readonly type: TypeDefinition
  readonly said: Name | undefined
}

export function createInstances(schema: XsdSchema): Instances {
  const made = new Map<ElementDeclaration, Sample>()
  const shapes = new Map<TypeDefinition, Shape | undefined>()
  /** Types that are being made: a smallest element never holds itself. */
  const making = new Set<TypeDefinition>()
  const barren = new Set<TypeDefinition>()

  function shape(type: TypeDefinition): Shape | undefined {
    if (!shapes.has(type)) shapes.set(type, shapeOf(type, schema))
    return shapes.get(type)
  }

  function smallest(chosen: Chosen): Sample | undefined {
    const known = made.get(chosen.declaration)
    if (known && known.name === chosen.name) return known
    const typed = concrete(chosen, schema)
    const sample = typed && withWord(typed)
    if (sample) made.set(chosen.declaration, sample)
    return sample
  }

  function withWord(of: Typed, word?: readonly (Chosen | Sample)[]): Sample | undefined {
    const children = word ? childrenFrom(word) : smallestContent(of)
    const attributes = children && requiredAttributes(of.type)
    return attributes && { name: of.name, attributes, children, type: of.said, nil: false }
  }

  function childrenFrom(word: readonly (Chosen | Sample)[]): readonly Sample[] | undefined {
    const children = word.map((one) => ('children' in one ? one : smallest(one)))
    return children.every((child) => child !== undefined) ? children : undefined
  }

  function smallestContent({ type, declaration }: Typed): Sample['children'] | undefined {
    const { text } = shape(type) ?? { text: undefined }
    if (text === undefined || making.has(type) || !shape(type)!.hasWords) return undefined
    if (typeof text === 'object') return textOf(text, declaration)
    making.add(type)
    const before = [...barren]
    try {
      for (let tries = 0; tries < 20; tries += 1) {
        const word = completion(type, shape(type)!.words.start)
        if (!word) return undefined
        const failed = word.find((one) => smallest(one) === undefined)
        if (!failed) return childrenFrom(word)
        barren.add(failed.declaration.type)
      }
      return undefined
    } finally {
      making.delete(type)
      barren.clear()
      for (const one of before) barren.add(one)
    }
  }

  function completion(type: TypeDefinition, state: number): readonly Chosen[] | undefined {
    if (state === ENDED) return []
    if (state === UNREACHED) return undefined
    const { words } = shape(type) ?? { words: undefined }
    return words && shortestWord(words, state, schema, (one) => !barren.has(one.type) && !making.has(one.type))
  }

  return { smallest, withWord, completion }
}

/** Abstract types need another in their place. */
export function concrete({ name, declaration }: Chosen, schema: XsdSchema): Typed | undefined {
  const { type } = declaration
  if (type.kind !== 'complex' || !type.abstract) return { name, declaration, type, said: undefined }
  const derived = schema.derivedFrom(type).find((one) => one.kind === 'complex' && !one.abstract)
  return derived?.kind === 'complex' ? { name, declaration, type: derived, said: derived.name } : undefined
}

function textOf(type: SimpleType | UnknownType, { fixed }: ElementDeclaration): readonly string[] {
  const text = fixed ?? samplesOf(type)[0] ?? 'x'
  return text === '' ? [] : [text]
}

function requiredAttributes(type: TypeDefinition): ReadonlyMap<Name, string> | undefined {
  const attributes = new Map<Name, string>()
  if (type.kind !== 'complex') return attributes
  for (const { required, declaration, fixed } of type.attributes) {
    if (required) attributes.set(declaration.name, fixed ?? samplesOf(declaration.type)[0] ?? 'x')
  }
  return attributes
}

function shortestWord(
  words: Shape['words'],
  from: number,
  schema: XsdSchema,
  isUsable: (declaration: ElementDeclaration) => boolean,
): readonly Chosen[] | undefined {
  interface Way {
    readonly state: number
    readonly word: readonly Chosen[]
  }
  const pending: Way[] = [{ state: from, word: [] }]
  const seen = new Set([from])
  for (const { state, word } of pending) {
    if (words.accepts(state)) return word
    for (const { label, next } of words.steps(state)) {
      if (seen.has(next)) continue
      const names = label.kind === 'element' ? [label.name] : namesOf(label.wildcard, schema)
      for (const name of names) {
        const declaration = declarationAt(label, name, schema)
        if (typeof declaration !== 'object' || !isUsable(declaration)) continue
        seen.add(next)
        pending.push({ state: next, word: [...word, { name, declaration }] })
        break
      }
    }
  }
  return undefined
}

function namesOf(wildcard: Parameters<typeof takes>[0], schema: XsdSchema): readonly Name[] {
  const declared = [...schema.elements.keys()]
  const undeclared = undeclaredNames([...namespacesIn(wildcard), ...declared.map(namespaceOfName)])
  return [...undeclared, ...declared].filter((name) => takes(wildcard, name))
}
