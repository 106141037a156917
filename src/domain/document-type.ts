import type { FieldSource } from './fields.ts'

/** How a document is recognised, which schema it must satisfy, which fields are read from it, who may send it. */
export interface DocumentType {
  readonly name: string
  /** '' where the type has one version only, and says none. Several versions of a type are several of these. */
  readonly version: string
  /** Names under which routes take it together with others, those of its families' own families included. */
  readonly families: readonly string[]
  /** What senders of the version are told, since it will be gone one day; undefined: it is not deprecated. */
  readonly deprecated: string | undefined
  /** What the next version must keep that is registered at run time; undefined: nothing. */
  readonly compatibility?: Compatibility
  readonly identify: Identify
  /** Prefix → namespace name, for every XPath of the type and of the routes on it. */
  readonly namespaces: Readonly<Record<string, string>>
  /** In the order in which they are asked. Empty: the type is recognised only, and says so (`schema: none`). */
  readonly layers: readonly SchemaLayer[]
  /** JID patterns that narrow the installation's own; undefined: those alone count. */
  readonly senders: readonly string[] | undefined
  readonly fields: Readonly<Record<string, FieldSource>>
  /** Name of the field that is the document's key (docs/protocol.md 1.4). */
  readonly key: string | undefined
  readonly onInvalid: OnInvalid
}

/** `quarantine`: accepted and held; `mark`: routed to those who ask for invalid documents. */
export type OnInvalid = 'reject' | 'quarantine' | 'mark'

/** Exactly one of the three. */
export interface Identify {
  readonly xml?: XmlIdentify
  /** XEP-0432 datatype, and/or values that must stand at JSON Pointers. */
  readonly json?: {
    readonly datatype?: string
    readonly match?: Readonly<Record<string, string | number | boolean | null>>
  }
  /** Opaque content by media type. */
  readonly mediaType?: string
}

export type Compatibility = `${'backward' | 'forward' | 'full'}${'' | '-transitive'}`

/** Root name first; what is given besides must be true as well. */
export interface XmlIdentify {
  /** `{namespace}name`. */
  readonly root: string
  /** `{namespace}name` of the first element in the body of a SOAP envelope (XEP-0072). */
  readonly body?: string
  /** XPath → the texts of which one must stand there. */
  readonly match?: Readonly<Record<string, readonly string[]>>
  /** XPath that must be true. */
  readonly where?: string
}

/** Tells the versions of all types apart: a type's name, and `@VERSION` where it has one. */
export function typeKey({ name, version }: Pick<DocumentType, 'name' | 'version'>): string {
  return version === '' ? name : `${name}@${version}`
}

/** Absolute file name of the schema's first file; everything it includes stays within `folder`. */
export interface SchemaSource {
  readonly language: 'xsd' | 'rng' | 'json' | 'schematron'
  readonly file: string
  /** Absolute path of the bundle's folder: nothing outside of it is read. */
  readonly folder: string
}

/**
 * One of the schemas that a document must satisfy. A layer is asked where those before it found no error: what rules say of a
 * document that isn't built as it should be would be noise.
 */
export interface SchemaLayer extends SchemaSource {
  /** `warn`: its errors are told as warnings, and the document goes on. Where the YAML says nothing, the type's. */
  readonly onInvalid: OnInvalid | 'warn'
  /** Of Schematron: `#ALL`, `#DEFAULT` or the id of a phase. '' for other languages. */
  readonly phase: string
  /** Where it stands in the type's YAML: `['schema', 'schematron', '1']`. */
  readonly place: readonly string[]
}
