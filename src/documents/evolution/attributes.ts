import { ANY_SIMPLE_TYPE } from '../xsd/built-in-types.ts'
import { takesNamespace } from '../xsd/children.ts'
import type { AttributeUse, Name, TypeDefinition, Wildcard, XsdSchema } from '../xsd/components.ts'
import { namespaceOfName } from '../xsd/symbols.ts'
import type { Visit } from './compare-types.ts'
import type { Instances, Sample } from './instances.ts'
import { findGap } from './simple-inclusion.ts'
import { isSameSpace, type Simple, samplesOf } from './simple-values.ts'
import { namespacesIn, undeclaredNames } from './wildcards.ts'

export type ReportAttribute = (
  message: string,
  samples: readonly (() => Sample | undefined)[],
  name?: Name | undefined,
) => void

interface Attributes {
  readonly uses: ReadonlyMap<Name, AttributeUse>
  readonly wildcard: Wildcard | undefined
  readonly known: boolean
  readonly schema: XsdSchema
}

interface Both {
  readonly old: XsdSchema
  readonly next: XsdSchema
  readonly instances: Instances
}

/** Compares which attributes elements of a type may and must have, and their values. */
export function compareAttributes(
  { of, nextType }: Visit,
  { old, next, instances }: Both,
  report: ReportAttribute,
): void {
  const mine = attributesOf(of.type, old)
  const other = attributesOf(nextType, next)
  if (!mine.known || !other.known) {
    report('a group of attributes, or a wildcard of them, isn’t understood', [])
    return
  }
  const smallest = () => instances.withWord(of)
  const withValue = (name: Name, value: string) => () => {
    const sample = smallest()
    return sample && { ...sample, attributes: new Map([...sample.attributes, [name, value]]) }
  }
  for (const [name, use] of mine.uses) {
    const gap = gapOf(name, use, other)
    if (gap)
      report(
        gap.message,
        gap.values.map((value) => withValue(name, value)),
        name,
      )
  }
  for (const [name, { required }] of other.uses) {
    if (!required || mine.uses.get(name)?.required) continue
    const without = () => {
      const sample = smallest()
      return sample && { ...sample, attributes: new Map([...sample.attributes].filter(([one]) => one !== name)) }
    }
    report('the attribute is required', [without], name)
  }
  if (mine.wildcard)
    compareWildcard(mine.wildcard, mine, other, (name, gap) => {
      report(
        gap.message,
        gap.values.map((value) => withValue(name, value)),
        name,
      )
    })
}

function attributesOf(type: TypeDefinition, schema: XsdSchema): Attributes {
  if (type.kind !== 'complex') return { uses: new Map(), wildcard: undefined, known: type.kind === 'simple', schema }
  const uses = new Map(type.attributes.map((use) => [use.declaration.name, use]))
  return { uses, wildcard: type.anyAttribute, known: type.attributesKnown, schema }
}

interface AttributeGap {
  readonly message: string
  readonly values: readonly string[]
}

function gapOf(name: Name, use: AttributeUse, other: Attributes): AttributeGap | undefined {
  const values = () => (use.fixed !== undefined ? [use.fixed] : samplesOf(use.declaration.type).slice(0, 3))
  const taken = takenBy(name, other)
  if (taken === 'refused') return { message: 'the attribute is not allowed', values: values() }
  if (taken === 'unknown') return { message: 'whether the attribute is allowed can’t be told', values: [] }
  const isSameFixed = taken.fixed === use.fixed && isSameSpace(use.declaration.type, taken.type)
  if (taken.fixed !== undefined && !isSameFixed) {
    const others = samplesOf(use.declaration.type).filter((value) => value !== taken.fixed)
    return { message: `the attribute is fixed to “${taken.fixed}”`, values: others.slice(0, 3) }
  }
  return findGap(use.declaration.type, taken.type)
}

interface TakenAttribute {
  readonly type: Simple
  readonly fixed: string | undefined
}

function takenBy(name: Name, { uses, wildcard, schema }: Attributes): TakenAttribute | 'refused' | 'unknown' {
  const use = uses.get(name)
  if (use) return { type: use.declaration.type, fixed: use.fixed }
  if (!wildcard || !takesNamespace(wildcard, namespaceOfName(name))) return 'refused'
  return declaredFor(name, wildcard, schema)
}

const ANY_VALUE: TakenAttribute = { type: ANY_SIMPLE_TYPE, fixed: undefined }

function declaredFor(name: Name, { process }: Wildcard, schema: XsdSchema): TakenAttribute | 'refused' | 'unknown' {
  if (process === 'skip') return ANY_VALUE
  const declared = schema.attributes.get(name)
  if (declared) return { type: declared.type, fixed: declared.fixed }
  if (schema.unknownNamespaces.has(namespaceOfName(name))) return 'unknown'
  return process === 'lax' ? ANY_VALUE : 'refused'
}

/** Every attribute that the old wildcard lets stand, one for each that may be treated differently. */
function compareWildcard(
  wildcard: Wildcard,
  mine: Attributes,
  other: Attributes,
  report: (name: Name, gap: AttributeGap) => void,
): void {
  const declared = [...mine.schema.attributes.keys(), ...other.schema.attributes.keys(), ...other.uses.keys()]
  const namespaces = [...namespacesIn(wildcard), ...(other.wildcard ? namespacesIn(other.wildcard) : [])]
  const names = new Set([...undeclaredNames([...namespaces, ...declared.map(namespaceOfName)]), ...declared])
  for (const name of names) {
    if (mine.uses.has(name) || !takesNamespace(wildcard, namespaceOfName(name))) continue
    const given = declaredFor(name, wildcard, mine.schema)
    if (given === 'refused') continue
    if (given === 'unknown') {
      report(name, { message: 'whether the attribute is declared can’t be told', values: [] })
      continue
    }
    const taken = takenBy(name, other)
    if (taken === 'refused')
      report(name, { message: 'the attribute is not allowed', values: samplesOf(given.type).slice(0, 2) })
    else if (taken === 'unknown')
      report(name, { message: 'whether the attribute is allowed can’t be told', values: [] })
    else {
      const isSameFixed = taken.fixed === given.fixed && isSameSpace(given.type, taken.type)
      const gap =
        taken.fixed !== undefined && !isSameFixed ? fixedGap(taken.fixed, given) : findGap(given.type, taken.type)
      if (gap) report(name, gap)
    }
  }
}

function fixedGap(fixed: string, { type }: TakenAttribute): AttributeGap {
  const values = samplesOf(type).filter((value) => value !== fixed)
  return { message: `the attribute is fixed to “${fixed}”`, values: values.slice(0, 3) }
}
