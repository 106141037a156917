/** Hashes of texts, other ones in each process: nobody can choose routes whose constants fall into one place. */

const SEED = Math.floor(Math.random() * 0x7fff_ffff)

/** Of longer texts the beginning and the end count, so that long values cost no more than short ones. */
const WHOLE = 48
const END = 24

/** The hash of a part of a text. */
export function hashOfText(text: string, from: number, to: number): number {
  const length = to - from
  let hash = SEED ^ length
  if (length <= WHOLE) {
    for (let at = from; at < to; at++) hash = rolled(hash, text.charCodeAt(at))
    return finished(hash)
  }
  for (let at = from; at < from + END; at++) hash = rolled(hash, text.charCodeAt(at))
  for (let at = to - END; at < to; at++) hash = rolled(hash, text.charCodeAt(at))
  return finished(hash)
}

export function rolled(hash: number, next: number): number {
  return (Math.imul(hash, 31) + next) | 0
}

/** All bits into the low ones, which choose the place in a table. */
export function finished(hash: number): number {
  let mixing = hash ^ (hash >>> 16)
  mixing = Math.imul(mixing, 0x85eb_ca6b)
  mixing ^= mixing >>> 13
  mixing = Math.imul(mixing, 0xc2b2_ae35)
  return (mixing ^ (mixing >>> 16)) | 0
}
