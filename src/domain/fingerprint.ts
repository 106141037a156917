/** What dead letters that died of the same cause have in common, whatever document, number or person they were about. */

export interface Cause {
  readonly reason: string
  /** What the last attempt ended with: the condition of the answer, or a word of ours; ''. */
  readonly condition: string
  /** '' where there is no delivery. */
  readonly destination: string
  readonly route: string
  /** Name of the document type. */
  readonly type: string
  /** The last error in words. */
  readonly text: string
}

// In this order: an id holds numbers, and a JID may hold either.
const VARYING: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '<id>'],
  [/[^\s@/<>"'()[\],;:=]+@[^\s@/<>"'()[\],;:]+(?:\/[^\s<>"'()[\],;]+)?/gu, '<jid>'],
  [/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b/gi, '<id>'],
  [/\d+(?:[.,:]\d+)*/g, '<n>'],
]

const TEXT_MOST = 300

/** A text without what varies from case to case: ids, JIDs and numbers. Two texts of one cause become the same. */
export function normaliseText(text: string): string {
  const [known, ...others] = VARYING
  // A long text is cut before the costly patterns and after the ids, which a cut could halve.
  const short = text.slice(0, 4 * TEXT_MOST).replace(known![0], known![1])
  const plain = others.reduce((shorter, [pattern, word]) => shorter.replace(pattern, word), short)
  return plain.replace(/\s+/g, ' ').trim().slice(0, TEXT_MOST)
}

/**
 * The cause, normalised. A delivery died at its destination, of which ids and numbers are put aside: a template may have made
 * one for each sensor. Where no address could be made, it died of its route and template; the text holds the document's values
 * then. A document without route died of its type.
 */
export function normaliseCause({ reason, condition, destination, route, type, text }: Cause): Cause {
  if (destination === '') return { reason, condition, destination, route: '', type, text: normaliseText(text) }
  if (reason === 'address-refused') return { reason, condition, destination, route, type: '', text: '' }
  const place = destination.replace(VARYING[0]![0], '<id>').replace(/\d+/g, '<n>')
  return { reason, condition, destination: place, route: '', type: '', text: normaliseText(text) }
}

/** Twelve hexadecimal digits, the same for the same cause in every process and version. */
export function fingerprintOf(cause: Cause): string {
  const { reason, condition, destination, route, type, text } = normaliseCause(cause)
  const parts = [reason, condition, destination, route, type, text].join('\u0000')
  return hex(fnv1a(parts, 0x811c9dc5))
    .concat(hex(fnv1a(parts, 0x9747b28c)))
    .slice(0, 12)
}

/** FNV-1a over UTF-16 code units, 32 bits: for telling apart, not for safety. */
function fnv1a(text: string, basis: number): number {
  let hash = basis
  for (let at = 0; at < text.length; at += 1) {
    hash ^= text.charCodeAt(at)
    hash = Math.imul(hash, 0x01000193)
  }
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}

function hex(number: number): string {
  return number.toString(16).padStart(8, '0')
}
