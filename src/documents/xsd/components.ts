/**
 * What an XML Schema 1.0 declares, as its specification's components (XML Schema 1, 2.2), for whoever has to know what documents
 * can look like: which paths exist, which values a place admits, what two versions of a schema differ in. Validation is
 * libxml2's.
 *
 * What the reader doesn't understand, or can't find, is `unknown` and stays so through every question: nothing is ever said to
 * be impossible because of it. Types of elements and attributes are made when they are asked for, so that recursive
 * schemas are no matter.
 */

/** Expanded: `{namespace}name`, or `name` where there is no namespace. */
export type Name = string

export interface XsdSchema {
  /** Of the first file; '' for none. */
  readonly targetNamespace: string
  /** Global declarations and definitions. */
  readonly elements: ReadonlyMap<Name, ElementDeclaration>
  readonly attributes: ReadonlyMap<Name, AttributeDeclaration>
  readonly types: ReadonlyMap<Name, TypeDefinition>
  /** The global elements that may stand where `head` does, itself first; those of its substitution group, of any depth. */
  substitutesFor(head: ElementDeclaration): readonly ElementDeclaration[]
  /** The named types that `xsi:type` may put in the place of this one; of any depth, without itself. */
  derivedFrom(type: TypeDefinition): readonly TypeDefinition[]
  /** Namespaces of which not everything could be read: what isn't found in them is unknown rather than absent. */
  readonly unknownNamespaces: ReadonlySet<string>
  /** Somewhere `block` or `blockDefault` forbids what derivation and substitution allow; it isn't followed. */
  readonly blocks: boolean
  /** A name is defined in two places, or a namespace imported from two: which of them counts isn't followed. */
  readonly ambiguous: boolean
}

/** Where a component stands: `path:line` within the schema's folder; '' for what is built in. */
export type Place = string

export interface ElementDeclaration {
  readonly name: Name
  readonly at: Place
  readonly isGlobal: boolean
  readonly type: TypeDefinition
  readonly nillable: boolean
  readonly abstract: boolean
  readonly default: string | undefined
  readonly fixed: string | undefined
  /** The head that it can stand in for. */
  readonly substitutionGroup: Name | undefined
  /** Its `xs:key`, `xs:unique` and `xs:keyref`, each as one text in which names are expanded: equal texts say the same. */
  readonly identities: readonly string[]
}

export interface AttributeDeclaration {
  readonly name: Name
  readonly at: Place
  readonly isGlobal: boolean
  readonly type: SimpleType | UnknownType
  readonly default: string | undefined
  readonly fixed: string | undefined
}

export interface AttributeUse {
  readonly declaration: AttributeDeclaration
  readonly required: boolean
  readonly default: string | undefined
  readonly fixed: string | undefined
}

export type TypeDefinition = ComplexType | SimpleType | UnknownType

export interface UnknownType {
  readonly kind: 'unknown'
  readonly reason: string
}

export interface ComplexType {
  readonly kind: 'complex'
  /** Undefined for a type without name. */
  readonly name: Name | undefined
  readonly at: Place
  readonly abstract: boolean
  /** Text may stand between its elements. */
  readonly mixed: boolean
  /** Undefined for `xs:anyType` alone. */
  readonly base: TypeDefinition | undefined
  readonly derivation: 'extension' | 'restriction'
  /** With what it has from its base. */
  readonly content: Content
  /** With those that it has from its base; without prohibited ones. */
  readonly attributes: readonly AttributeUse[]
  readonly anyAttribute: Wildcard | undefined
  /** False where a group of attributes, or the base, is unknown: there may be others. */
  readonly attributesKnown: boolean
}

export type Content =
  | { readonly kind: 'empty' }
  | { readonly kind: 'simple'; readonly type: SimpleType | UnknownType }
  | { readonly kind: 'elements'; readonly particle: Particle }
  | { readonly kind: 'unknown' }

/** `max` is `Infinity` for unbounded. */
export type Particle = { readonly min: number; readonly max: number } & Term

export type Term =
  | { readonly kind: 'element'; readonly declaration: ElementDeclaration }
  | { readonly kind: 'sequence' | 'choice' | 'all'; readonly particles: readonly Particle[] }
  | { readonly kind: 'wildcard'; readonly wildcard: Wildcard }
  | { readonly kind: 'unknown'; readonly reason: string }

export interface Wildcard {
  readonly namespaces:
    | { readonly kind: 'any' }
    /** Any namespace but this one, and not none. */
    | { readonly kind: 'other'; readonly than: string }
    /** '' for no namespace. */
    | { readonly kind: 'list'; readonly names: readonly string[] }
  readonly process: 'strict' | 'lax' | 'skip'
}

export interface SimpleType {
  readonly kind: 'simple'
  readonly name: Name | undefined
  readonly at: Place
  readonly variety: 'atomic' | 'list' | 'union'
  /** Local name of the built-in primitive type that an atomic type goes back to. */
  readonly primitive: string | undefined
  readonly base: SimpleType | UnknownType | undefined
  /** Of a list. */
  readonly item: SimpleType | UnknownType | undefined
  /** Of a union. */
  readonly members: readonly (SimpleType | UnknownType)[]
  /** All that bind a value, those of its base included. */
  readonly facets: Facets
}

export interface Facets {
  readonly enumeration?: readonly string[]
  /** One list for each step of derivation: a value matches one of each list. */
  readonly patterns?: readonly (readonly string[])[]
  readonly length?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minInclusive?: string
  readonly maxInclusive?: string
  readonly minExclusive?: string
  readonly maxExclusive?: string
  readonly totalDigits?: number
  readonly fractionDigits?: number
  readonly whiteSpace: 'preserve' | 'replace' | 'collapse'
}
