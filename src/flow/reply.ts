import type { Rejection } from '../domain/rejection.ts'

/** What a sender is told of one document (`<accepted/>`, DESIGN 3.2). */
export interface Accepted {
  readonly id: string
  readonly type: string
  readonly duplicate: boolean
  readonly held: boolean
  /** The PubSub item's id; '' where it came otherwise. */
  readonly item: string
}

/** What a sender is told of one stanza. A stanza of several items has all of them accepted, or is rejected. */
export type Reply =
  | { readonly kind: 'ignored' }
  | { readonly kind: 'accepted'; readonly accepted: readonly Accepted[] }
  | { readonly kind: 'rejected'; readonly rejection: Rejection; readonly item?: string }
