import type { KindName } from './kind-schemas.ts'
import type { Complain, Path } from './problem.ts'

interface Unavailable {
  readonly kind: KindName
  readonly path: Path
  readonly isUsed: (value: unknown) => boolean
  readonly message: string
}

const isGiven = (value: unknown) => value !== undefined

/** What the configuration has words for, and this version can't do yet. Saying yes to it would be a lie. */
const table: readonly Unavailable[] = [
  {
    kind: 'DocumentType',
    path: ['signature'],
    isUsed: isGiven,
    message: 'signature is not available in this version: signed documents are routed, but not verified',
  },
]

export function complainOfUnavailable(kind: KindName, value: unknown, complain: Complain): void {
  for (const entry of table) {
    if (entry.kind !== kind) continue
    const found = entry.path.reduce<unknown>((current, part) => {
      return typeof current === 'object' ? (current as Record<string, unknown> | null)?.[part] : undefined
    }, value)
    if (entry.isUsed(found)) complain('not-available', entry.path, entry.message, { at: 'key' })
  }
}
