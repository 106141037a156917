import type { Element } from './element.ts'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** What matching and fields look at. `opaque` is never looked into (docs/protocol.md 1.2). */
export type Content =
  | { readonly kind: 'xml'; readonly root: Element }
  | { readonly kind: 'json'; readonly value: Json }
  | { readonly kind: 'opaque' }

/**
 * How the document travels in a stanza:
 * `element` as a child element; `json` in XEP-0335; `json-message` in XEP-0432; `sealed` byte for byte in XEP-0231
 * `<data/>`. Opaque content is `sealed` when it came in `<data/>` and `element` when it is an encrypted element.
 */
export type Form = 'element' | 'json' | 'json-message' | 'sealed'

export interface Document {
  readonly form: Form
  /** Lower case, without parameters: `application/xml`, `application/json`, `image/png`. */
  readonly mediaType: string
  /** The media type as it came, where that is not its name alone: `text/csv; charset=iso-8859-1`. Nothing is decided by it: it goes out again. */
  readonly contentType?: string
  /** `{namespace}name` of an XML document; '' otherwise. */
  readonly rootName: string
  /** XEP-0432's datatype, or ''. */
  readonly datatype: string
  readonly content: Content
  /**
   * The document itself, once: text for in-band forms (XML with all namespaces declared on it, or the JSON text), bytes
   * for sealed ones, exactly as they came.
   */
  readonly payload: string | Uint8Array
  /** Size of the payload in bytes of UTF-8. */
  readonly bytes: number
  /** SHA-256, hex: of the bytes when sealed, of names, attributes and text when in-band (docs/protocol.md 1.4). May be taken when it is first asked for. */
  readonly digest: string
}

/** The way a stanza brought it. */
export type StanzaKind = 'iq' | 'message' | 'publish' | 'event'

/** What is known of a document besides its content: routes match on it, nothing of it is trusted but `from`. */
export interface Origin {
  /** Full JID of the sender as the server stamped it, normalised. For events: the PubSub service, or the publisher that it names. */
  readonly from: string
  readonly to: string
  readonly stanza: StanzaKind
  /** The stanza's id; '' where it has none. */
  readonly stanzaId: string
  /** The node published to, or the node of the event; ''. */
  readonly node: string
  /** The PubSub item's id; ''. */
  readonly item: string
  /** XEP-0131 headers. */
  readonly headers: Readonly<Record<string, string>>
  /** How many routers it has passed (`<via hops/>`). */
  readonly hops: number
}

/** What the sender asked for with `<submit/>` (docs/protocol.md 1.1). */
export interface SubmitOptions {
  readonly expiresMs?: number
  readonly report?: 'delivered' | 'failed' | 'all'
  /** The sender's own key for the document; stands in for the type's key field. */
  readonly key?: string
  /** The version of its type that the sender says it is of. */
  readonly version?: string
}
