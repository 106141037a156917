import { randomFillSync } from 'node:crypto'

const pool = new Uint8Array(4096)
let taken = pool.length
let lastMs = 0
let counter = 0

/**
 * UUIDv7 in lower case (RFC 9562 5.7), rising within the process: `rand_a` counts within a millisecond (6.2, method 1).
 */
export function envelopeIdAt(nowMs: number): string {
  if (nowMs > lastMs) {
    lastMs = nowMs
    counter = 0
  } else if (++counter > 0xfff) {
    lastMs++
    counter = 0
  }
  if (taken + 8 > pool.length) {
    randomFillSync(pool)
    taken = 0
  }
  const random = pool.subarray(taken, taken + 8)
  taken += 8
  const time = lastMs.toString(16).padStart(12, '0')
  const variant = ((random[0]! & 0x3f) | 0x80).toString(16)
  let tail = ''
  for (let at = 1; at < 8; at++) tail += random[at]!.toString(16).padStart(2, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${variant}${tail.slice(0, 2)}-${tail.slice(2)}`
}

/** When an envelope was made, in milliseconds: the first 48 bits of its id (RFC 9562 5.7). */
export function envelopeTimeMs(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
}

const ENVELOPE_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Whether a text has the shape of an envelope id. */
export function isEnvelopeId(text: string): boolean {
  return ENVELOPE_ID.test(text)
}
