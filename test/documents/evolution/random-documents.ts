import { shapeOf } from '../../../src/documents/evolution/content.ts'
import type { Sample } from '../../../src/documents/evolution/instances.ts'
import { contestedBetween, samplesOf } from '../../../src/documents/evolution/simple-values.ts'
import { declarationAt } from '../../../src/documents/evolution/wildcards.ts'
import { ANY_SIMPLE_TYPE } from '../../../src/documents/xsd/built-in-types.ts'
import { takesNamespace } from '../../../src/documents/xsd/children.ts'
import type {
  ElementDeclaration,
  Name,
  SimpleType,
  TypeDefinition,
  UnknownType,
  XsdSchema,
} from '../../../src/documents/xsd/components.ts'
import { namespaceOfName } from '../../../src/documents/xsd/symbols.ts'
import type { Random } from './random-schemas.ts'

const NAMES: readonly Name[] = ['{urn:t}note', '{urn:x}y', 'plain', '{urn:t}m1', '{urn:other}z']
const VALUES = ['', 'x', ' A ', 'AB', '1', '99.99', '0.5', '-1', '100', 'true', 'ABCD', 'ABCDE', '01', '+1', '99.995']

/** A random document that is often valid by the schema. */
export function randomDocument(root: ElementDeclaration, schema: XsdSchema, random: Random): Sample {
  return element(root.name, root, schema, random, 0)
}

function element(
  name: Name,
  declaration: ElementDeclaration,
  schema: XsdSchema,
  random: Random,
  depth: number,
): Sample {
  const derived = schema.derivedFrom(declaration.type).filter((type) => type.kind === 'complex' && !type.abstract)
  const said = derived.length > 0 && random.below(4) === 0 ? random.one(derived) : undefined
  const type = said ?? declaration.type
  const nil = declaration.nillable && random.below(8) === 0
  const children = nil ? [] : content(type, schema, random, depth)
  const named = said?.kind === 'complex' ? said.name : undefined
  return { name, attributes: attributes(type, random), children, type: named, nil }
}

function value(type: SimpleType | UnknownType, random: Random): string {
  if (random.below(6) === 0) return random.one(VALUES)
  const samples = [...samplesOf(type), ...contestedBetween(type, ANY_SIMPLE_TYPE)]
  return samples.length === 0 ? 'x' : random.one(samples.slice(0, 30))
}

function attributes(type: TypeDefinition, random: Random): ReadonlyMap<Name, string> {
  const found = new Map<Name, string>()
  if (type.kind !== 'complex') return found
  for (const { declaration, required, fixed } of type.attributes) {
    if (required || random.below(2) === 0) found.set(declaration.name, fixed ?? value(declaration.type, random))
  }
  if (type.anyAttribute && random.below(2) === 0) found.set(random.one(['{urn:x}w', 'w', 'l']), random.one(VALUES))
  return found
}

function content(type: TypeDefinition, schema: XsdSchema, random: Random, depth: number): (Sample | string)[] {
  const shape = shapeOf(type, schema)
  // A change may make a type hold itself for ever.
  if (!shape || depth > 10) return []
  if (typeof shape.text === 'object') {
    const text = value(shape.text, random)
    return text === '' ? [] : [text]
  }
  const children: (Sample | string)[] = shape.text === 'any' && random.below(2) === 0 ? ['text'] : []
  const { words } = shape
  let state = words.start
  for (let length = 0; length < 12; length += 1) {
    const steps = words.steps(state)
    const isEnough = words.accepts(state) && (random.below(4) === 0 || depth > 4)
    if (steps.length === 0 || isEnough) break
    const { label, next } = random.one(steps)
    const name = label.kind === 'element' ? label.name : random.one(NAMES)
    if (label.kind === 'wildcard' && !takesNamespace(label.wildcard, namespaceOfName(name))) continue
    const declaration = declarationAt(label, name, schema)
    if (typeof declaration !== 'object') continue
    state = next
    children.push(element(name, declaration, schema, random, depth + 1))
  }
  return children
}
