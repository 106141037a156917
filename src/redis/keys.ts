import { createHash } from 'node:crypto'

/** The number stands here alone: one shard holds everything, and all its keys share one hash tag (docs/adr/0001). */
const SHARD = 0

/** What all keys of an installation begin with. Throws where the prefix would break the hash tag. */
export function keyPrefix(prefix: string): string {
  if (!/^[\w.-]{1,64}$/.test(prefix)) {
    throw new Error(
      `Cannot use the Redis prefix: ${JSON.stringify(prefix)} is not 1 to 64 letters, digits, "_", "." or "-"`,
    )
  }
  return `{${prefix}:${SHARD}}:`
}

/** A name of any length, chosen by a peer, as part of a key: 192 bits of its SHA-256. */
export function nameDigest(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 32)
}
