import type { SubmitOptions } from '../domain/document.ts'
import { attributeOf, type Element } from '../domain/element.ts'
import { type Finding, type Rejection, reject } from '../domain/rejection.ts'
import { shown } from './shown.ts'

/** Waybill's wrapper for a document with options (docs/protocol.md 1.1). */

const DAY_MS = 86_400_000
const LONGEST_MS = 3_660 * DAY_MS
const KEY_LENGTH = 256
const REPORTS = ['delivered', 'failed', 'all'] as const

export type SubmitParse =
  | { readonly kind: 'options'; readonly submit: SubmitOptions }
  | { readonly kind: 'rejected'; readonly rejection: Rejection }

/** Every bad value is told at once. */
export function parseSubmit(wrapper: Element): SubmitParse {
  const findings: Finding[] = []
  const expires = attributeOf(wrapper, 'expires')
  const expiresMs = expires === undefined ? undefined : parseDuration(expires)
  if (typeof expiresMs === 'string') findings.push(bad('expires', expires!, expiresMs))
  const report = attributeOf(wrapper, 'report')
  const known = REPORTS.find((word) => word === report)
  if (report !== undefined && !known) findings.push(bad('report', report, `it is none of ${REPORTS.join(', ')}`))
  const key = attributeOf(wrapper, 'key')
  const keyFault = key === undefined ? undefined : faultOfKey(key)
  if (keyFault) findings.push(bad('key', key!, keyFault))
  const version = attributeOf(wrapper, 'version')
  if (version === '') findings.push(bad('version', version, 'it is empty'))
  if (findings.length > 0) return { kind: 'rejected', rejection: reject('malformed', findings[0]!.message, findings) }
  const submit: SubmitOptions = {
    ...(typeof expiresMs === 'number' ? { expiresMs } : {}),
    ...(known ? { report: known } : {}),
    ...(key === undefined ? {} : { key }),
    ...(version === undefined ? {} : { version }),
  }
  return { kind: 'options', submit }
}

function bad(attribute: string, value: string, why: string): Finding {
  const found = shown(value)
  return {
    layer: 'submit',
    rule: attribute,
    severity: 'error',
    path: `/submit/@${attribute}`,
    message: `Cannot read ${attribute}="${found}": ${why}`,
    value: found,
  }
}

function faultOfKey(key: string): string | undefined {
  if (key === '') return 'it is empty'
  return key.length > KEY_LENGTH ? `it has ${key.length} characters, the limit is ${KEY_LENGTH}` : undefined
}

const DURATION =
  /^P(?:(?<weeks>\d+)W|(?:(?<years>\d+)Y)?(?:(?<months>\d+)M)?(?:(?<days>\d+)D)?(?:T(?:(?<hours>\d+)H)?(?:(?<minutes>\d+)M)?(?:(?<seconds>\d+(?:\.\d+)?)S)?)?)$/

/**
 * Milliseconds of an ISO 8601 duration (`PT10M`, `P1DT12H`, `P2W`), more than none and at most ten years; or what is wrong
 * with it. Years and months are refused: how long they are depends on when they begin.
 */
export function parseDuration(text: string): number | string {
  const parts = DURATION.exec(text)?.groups
  if (!parts || /[PT]$/.test(text)) return 'it is no ISO 8601 duration such as PT10M'
  if (parts.years !== undefined || parts.months !== undefined)
    return 'years and months have no fixed length; say it in days'
  const part = (name: string) => Number(parts[name] ?? 0)
  const hours = part('hours') + 24 * (part('days') + 7 * part('weeks'))
  const durationMs = Math.round(1000 * (part('seconds') + 60 * (part('minutes') + 60 * hours)))
  if (durationMs <= 0) return 'it lasts no time at all'
  return durationMs > LONGEST_MS ? 'it is longer than ten years' : durationMs
}
