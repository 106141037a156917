import { isDeepStrictEqual } from 'node:util'
import { Redis } from 'ioredis'
import { eventually } from '../eventually.ts'
import type { Installation } from './waybill.ts'

/** All that an effect on documents would show in. */
export interface State {
  readonly ledger: Awaited<ReturnType<Installation['ledger']>>
  readonly metrics: readonly string[]
  readonly keys: readonly string[]
  /** How many stanzas have come to other.example.test. */
  readonly received: number
}

export async function stateOf(at: Installation): Promise<State> {
  return {
    ledger: await at.ledger(),
    metrics: countersOf(await at.metrics()),
    keys: await keysOf(at),
    received: at.other.received.length,
  }
}

/** What the tests before have left: an attempt ends, and its wake goes, after the stanza that they waited for. */
export async function whenNothingIsUnderWay(at: Installation): Promise<State> {
  return eventually(
    async () => {
      const seen = await stateOf(at)
      const rests = seen.ledger.documents.waiting === 0 && !seen.keys.some((key) => /:bull:wakes:\d+$/.test(key))
      return rests && isDeepStrictEqual(seen, await stateOf(at)) ? seen : undefined
    },
    { timeoutMs: 60_000, what: 'nothing to be under way' },
  )
}

/** The product's own counters: what the machine does meanwhile is no matter. */
function countersOf(metrics: string): readonly string[] {
  return metrics
    .split('\n')
    .filter((line) => /^waybill_(documents|attempts|deliveries_ended|reports|stanzas)/.test(line))
}

/** Everything that is kept of documents: what the lease and the queue's own clockwork keep comes and goes. */
async function keysOf({ redis }: Installation): Promise<readonly string[]> {
  const client = new Redis(redis.url)
  try {
    return (await client.keys('*')).filter((key) => !/lease|:stalled|:limiter/.test(key)).sort()
  } finally {
    client.disconnect()
  }
}
