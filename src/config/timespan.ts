const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const PARTS = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g
const SHORT = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/
// ISO 8601 without years and months, which have no fixed length.
const ISO = /^P(?=[\dT])(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/

/** Milliseconds of `500ms`, `30s`, `1h30m`, `PT10M`; undefined where the text is no duration. */
export function parseTimespan(text: string): number | undefined {
  if (SHORT.test(text)) return sum([...text.matchAll(PARTS)].map(([, count, unit]) => Number(count) * UNITS[unit!]!))
  const iso = ISO.exec(text)
  if (!iso) return undefined
  const [weeks, days, hours, minutes, seconds] = iso.slice(1).map((part) => Number(part ?? 0))
  return sum([weeks! * 7 * UNITS.d!, days! * UNITS.d!, hours! * UNITS.h!, minutes! * UNITS.m!, seconds! * UNITS.s!])
}

function sum(parts: readonly number[]): number | undefined {
  const totalMs = Math.round(parts.reduce((total, part) => total + part, 0))
  return Number.isSafeInteger(totalMs) ? totalMs : undefined
}
