import type { Redis } from 'ioredis'
import type { Checkpoints, ItemStanding } from '../flow/ports.ts'
import { ask, type Call } from './calls.ts'
import { nameDigest } from './keys.ts'

/** Which items of subscribed nodes were dealt with; what is accepted is remembered by accept.lua. */
export function createCheckpoints(call: Call, client: Redis, prefix: string): Checkpoints {
  return {
    async standing(source, items) {
      if (items.length === 0) return []
      const names = items.map(({ item }) => nameDigest(item))
      const values = await ask('checkpoint', client, () =>
        client.hmget(`${prefix}taken:${nameDigest(source)}`, ...names),
      )
      return values.map((value, at) => standingOf(value, items[at]!.digest))
    },

    async passOver(source, items, keep) {
      if (items.length === 0) return
      const args = items.flatMap(({ item, digest }) => [nameDigest(item), `- ${digest}`])
      await call('pass', [nameDigest(source), keep, ...args], { repeatable: true })
    },
  }
}

function standingOf(value: string | null | undefined, digest: string): ItemStanding {
  const known = value?.split(' ')[1]
  if (known === undefined) return 'new'
  if (known === 'own') return 'own'
  return known === digest ? 'taken' : 'new'
}
