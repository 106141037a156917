import type { Rejection } from '../domain/rejection.ts'

/** One document that is in the store: what `<accepted/>` tells its sender (docs/protocol.md 1). */
export interface Accepted {
  /** The envelope's id; for a duplicate the first one's. */
  readonly id: string
  readonly type: string
  /** Of the type; undefined where it has none. */
  readonly version?: string
  /** What the sender is told of that version, which will be gone one day; undefined where it won't. */
  readonly deprecated?: string
  readonly duplicate: boolean
  /** Quarantined: kept, but on no way yet. */
  readonly held: boolean
  /** The PubSub item's id; '' where it was no item. */
  readonly item: string
}

/** How the sender of a stanza is answered. A stanza of several items is accepted as a whole or rejected as a whole. */
export type Reply =
  | { readonly kind: 'ignored' }
  | { readonly kind: 'accepted'; readonly accepted: readonly Accepted[] }
  | { readonly kind: 'rejected'; readonly rejection: Rejection; readonly item?: string }
