import type { HeldFilter } from '../flow/ports.ts'
import { type DeadFilterWords, readDeadFilter } from './dead-filter.ts'

/** Filters of held documents as they were typed. */
export interface HeldFilterWords
  extends Pick<DeadFilterWords, 'type' | 'from' | 'field' | 'since' | 'until' | 'limit'> {
  readonly rule?: string
}

export function readHeldFilter({ rule, type, from, field, since, until, limit }: HeldFilterWords): HeldFilter {
  const words = { type, from, field, since, until, limit } as DeadFilterWords
  return { ...readDeadFilter(words, Date.now()), ...(rule === undefined ? {} : { rule }) }
}
