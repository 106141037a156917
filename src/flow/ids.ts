import { randomFillSync } from 'node:crypto'

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const pool = new Uint8Array(4096)
let taken = pool.length
let lastMs = 0
/** Of the last millisecond, as an id begins. */
let time = ''
let counter = 0

/**
 * UUIDv7 in lower case (RFC 9562 5.7), rising within the process: `rand_a` counts within a millisecond (6.2, method 1).
 */
export function envelopeIdAt(nowMs: number): string {
  if (nowMs > lastMs) begin(nowMs)
  else if (++counter > 0xfff) begin(lastMs + 1)
  const count = HEX[0x70 | (counter >> 8)]! + HEX[counter & 0xff]!
  return `${time}-${count}-${HEX[(randomByte() & 0x3f) | 0x80]!}${randomHex(1)}-${randomHex(6)}`
}

function begin(ms: number): void {
  lastMs = ms
  counter = 0
  const digits = ms.toString(16).padStart(12, '0')
  time = `${digits.slice(0, 8)}-${digits.slice(8)}`
}

function randomHex(bytes: number): string {
  let text = ''
  for (let count = 0; count < bytes; count++) text += HEX[randomByte()]!
  return text
}

function randomByte(): number {
  if (taken === pool.length) {
    randomFillSync(pool)
    taken = 0
  }
  return pool[taken++]!
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
