import type { Finding } from './rejection.ts'

/** Why a document is held, and how that ended: kept beside it for as long as it is. */
export interface Holding {
  /** The first of them. */
  readonly findings: readonly Finding[]
  /** How many there were in all. */
  readonly total: number
  readonly ended?: {
    readonly how: 'released' | 'refused'
    readonly by: string
    readonly reason: string
    readonly atMs: number
  }
}

/** At most so many findings, and characters of their JSON, are kept beside a document that is held. */
const FINDINGS_KEPT = 100
const FINDINGS_LENGTH = 16_384

/** As many of the findings as are kept, errors before all others. */
export function holdingOf(findings: readonly Finding[]): Holding {
  const errors = findings.filter(({ severity }) => severity === 'error')
  const sorted = [...errors, ...findings.filter(({ severity }) => severity !== 'error')]
  const kept: Finding[] = []
  let length = 0
  for (const finding of sorted.slice(0, FINDINGS_KEPT)) {
    length += JSON.stringify(finding).length
    if (length > FINDINGS_LENGTH) break
    kept.push(finding)
  }
  return { findings: kept, total: findings.length }
}

/** `LAYER RULE` of the first finding: the same for documents with the same fault. */
export function causeOf({ findings }: Holding): string {
  const [first] = findings
  return first ? `${first.layer} ${first.rule}` : 'unknown'
}
