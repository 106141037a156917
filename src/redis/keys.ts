import { createHash, hash } from 'node:crypto'

/** The shard of the first domain. */
const FIRST = '0'

/** What all keys of a shard begin with: they share one hash tag (docs/adr/0001). Throws where the prefix would break it. */
export function keyPrefix(prefix: string, shard = FIRST): string {
  if (!/^[\w.-]{1,64}$/.test(prefix)) {
    throw new Error(
      `Cannot use the Redis prefix: ${JSON.stringify(prefix)} is not 1 to 64 letters, digits, "_", "." or "-"`,
    )
  }
  return `{${prefix}:${shard}}:`
}

/**
 * The shard of a further domain. Names that differ in one character would have slots side by side, on one node of a Cluster: the digest
 * spreads them.
 */
export function shardOf(domain: string): string {
  return `${domain}:${createHash('sha256').update(domain).digest('hex').slice(0, 8)}`
}

/** A name of any length, chosen by a peer, as part of a key: 192 bits of its SHA-256. */
export function nameDigest(...parts: readonly string[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url').slice(0, 32)
}
