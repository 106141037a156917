import { expandedName } from '../../domain/element.ts'
import type { SchemaFiles } from '../schema-files.ts'
import { ANY_SIMPLE_TYPE, ANY_TYPE } from './built-in-types.ts'
import { makeComplexType } from './complex-types.ts'
import type { AttributeDeclaration, ElementDeclaration, Name, TypeDefinition, XsdSchema } from './components.ts'
import { identitiesOf } from './identities.ts'
import type { Components } from './lookup.ts'
import { isTrue } from './schema-document.ts'
import { asSimple, builtInType, makeSimpleType, unknown } from './simple-types.ts'
import { type Defined, gatherSymbols, placeOf, resolveName, type Symbols } from './symbols.ts'

/** Reads the component model of a schema from its files. Never throws for what stands in them: what isn't understood is unknown. */
export function readXsdSchema(files: Pick<SchemaFiles, 'files' | 'url'>): XsdSchema {
  const symbols = gatherSymbols(files)
  const components = createComponents(symbols)
  const all = <T>(table: ReadonlyMap<Name, Defined>, of: (name: Name) => T) =>
    new Map([...table.keys()].map((name) => [name, of(name)]))
  const elements = all(symbols.elements, (name) => components.elementNamed(name)!)
  const types = all(symbols.types, components.typeNamed)
  return {
    targetNamespace: symbols.targetNamespace,
    elements,
    attributes: all(symbols.attributes, (name) => components.attributeNamed(name)!),
    types,
    substitutesFor: substitutes(elements),
    derivedFrom: derivations(types),
    unknownNamespaces: symbols.unknownNamespaces,
    blocks: symbols.blocks,
    ambiguous: symbols.ambiguous,
  }
}

function createComponents(symbols: Symbols): Components {
  const types = new Map<Name, TypeDefinition>()
  const elements = new Map<Name, ElementDeclaration>()
  const attributes = new Map<Name, AttributeDeclaration>()
  const making = new Set<Name>()

  function typeNamed(name: Name): TypeDefinition {
    const known = types.get(name) ?? builtInType(name) ?? (name === ANY_TYPE.name ? ANY_TYPE : undefined)
    if (known) return known
    // A type that is derived from itself is no schema; libxml2 says so.
    if (making.has(name)) return unknown(`${name} is derived from itself`)
    making.add(name)
    const type = makeNamed(name)
    making.delete(name)
    types.set(name, type)
    return type
  }

  function makeNamed(name: Name): TypeDefinition {
    const defined = symbols.types.get(name)
    if (!defined) return unknown(`there is no type ${name}`)
    if (symbols.redefined.has(name)) return unknown(`${name} is redefined`)
    return makeType(defined, name)
  }

  function makeType(defined: Defined, name: Name | undefined): TypeDefinition {
    if (defined.node.name === 'simpleType') return makeSimpleType(defined, name, typeNamed)
    return makeComplexType(defined, name, components)
  }

  /** By `type`, by a type within, as the head of its group, or anything (XML Schema 1, 3.3.2). */
  function typeOfElement(defined: Defined): TypeDefinition {
    const { node, document } = defined
    const named = node.attributes.get('type')
    if (named !== undefined) return typeNamed(resolveName(named, defined))
    const inner = node.children.find((child) => child.name === 'complexType' || child.name === 'simpleType')
    if (inner) return makeType({ node: inner, document }, undefined)
    const head = node.attributes.get('substitutionGroup')
    if (head === undefined) return ANY_TYPE
    return components.elementNamed(resolveName(head, defined))?.type ?? unknown(`there is no element ${head}`)
  }

  function typeOfAttribute(defined: Defined) {
    const { node, document } = defined
    const named = node.attributes.get('type')
    if (named !== undefined) return asSimple(typeNamed(resolveName(named, defined)))
    const inner = node.children.find((child) => child.name === 'simpleType')
    return inner ? makeSimpleType({ node: inner, document }, undefined, typeNamed) : ANY_SIMPLE_TYPE
  }

  function declareElement(defined: Defined, name: Name, isGlobal: boolean): ElementDeclaration {
    const { attributes: given } = defined.node
    const head = given.get('substitutionGroup')
    let type: TypeDefinition | undefined
    return {
      name,
      at: placeOf(defined),
      isGlobal,
      get type() {
        type ??= typeOfElement(defined)
        return type
      },
      nillable: isTrue(given.get('nillable')),
      abstract: isTrue(given.get('abstract')),
      default: given.get('default'),
      fixed: given.get('fixed'),
      substitutionGroup: head === undefined ? undefined : resolveName(head, defined),
      identities: identitiesOf(defined),
    }
  }

  function declareAttribute(defined: Defined, name: Name, isGlobal: boolean): AttributeDeclaration {
    const { attributes: given } = defined.node
    let type: AttributeDeclaration['type'] | undefined
    return {
      name,
      at: placeOf(defined),
      isGlobal,
      get type() {
        type ??= typeOfAttribute(defined)
        return type
      },
      default: given.get('default'),
      fixed: given.get('fixed'),
    }
  }

  function once<T>(known: Map<Name, T>, table: ReadonlyMap<Name, Defined>, make: (defined: Defined, name: Name) => T) {
    return (name: Name): T | undefined => {
      const defined = table.get(name)
      if (!known.has(name) && defined) known.set(name, make(defined, name))
      return known.get(name)
    }
  }

  const components: Components = {
    symbols,
    typeNamed,
    elementNamed: once(elements, symbols.elements, (defined, name) => declareElement(defined, name, true)),
    attributeNamed: once(attributes, symbols.attributes, (defined, name) => declareAttribute(defined, name, true)),
    localElement: (defined) => declareElement(defined, localName(defined, 'elementFormDefault'), false),
    localAttribute: (defined) => declareAttribute(defined, localName(defined, 'attributeFormDefault'), false),
  }
  return components
}

/** XML Schema 1, 3.3.2: whether a local declaration's name is in the target namespace. */
function localName({ node, document }: Defined, byDefault: string): Name {
  const form = node.attributes.get('form') ?? document.root.attributes.get(byDefault) ?? 'unqualified'
  return expandedName(form === 'qualified' ? document.targetNamespace : '', node.attributes.get('name') ?? '')
}

function substitutes(elements: ReadonlyMap<Name, ElementDeclaration>): XsdSchema['substitutesFor'] {
  const byHead = new Map<Name, ElementDeclaration[]>()
  for (const element of elements.values()) {
    if (element.substitutionGroup === undefined) continue
    byHead.set(element.substitutionGroup, [...(byHead.get(element.substitutionGroup) ?? []), element])
  }
  return (head) => {
    const found = new Set([head])
    // Local declarations have no group. A set goes on over what is added to it meanwhile.
    for (const element of found) {
      if (element.isGlobal) for (const member of byHead.get(element.name) ?? []) found.add(member)
    }
    return [...found]
  }
}

function derivations(types: ReadonlyMap<Name, TypeDefinition>): XsdSchema['derivedFrom'] {
  const byBase = new Map<TypeDefinition, TypeDefinition[]>()
  for (const type of types.values()) {
    if (type.kind === 'unknown' || !type.base || type.base === ANY_TYPE) continue
    byBase.set(type.base, [...(byBase.get(type.base) ?? []), type])
  }
  return (type) => {
    const found = new Set<TypeDefinition>()
    const pending: TypeDefinition[] = [type]
    for (let next = pending.pop(); next; next = pending.pop()) {
      for (const derived of byBase.get(next) ?? []) {
        if (found.has(derived)) continue
        found.add(derived)
        pending.push(derived)
      }
    }
    return [...found]
  }
}
