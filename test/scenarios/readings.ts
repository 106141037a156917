import type { EnvelopeTrace, Ledger } from '../../src/flow/ports.ts'
import type { RedisAddress } from '../../src/redis/address.ts'
import { createCall } from '../../src/redis/calls.ts'
import { connectImpatient, disconnect } from '../../src/redis/connection.ts'
import { keyPrefix } from '../../src/redis/keys.ts'
import { createReadings } from '../../src/redis/readings.ts'
import { eventually } from '../eventually.ts'
import { imbalances } from '../redis/fixtures.ts'

/** What `waybill trace` and `waybill ledger` say with `-o json`. */
export interface Readings {
  /** Throws where nothing is known of the envelope, or of the delivery's. */
  trace(id: string): Promise<EnvelopeTrace>
  ledger(): Promise<Ledger & { readonly balanced: boolean }>
  /** Of a holder that is known to be dead. */
  endLease(domain: string): Promise<void>
  /**
   * When the holder has renewed the lease twice: then it is held for long enough that senders hear of the next fault of Redis. The
   * first time may be of what was asked before Redis was away, which nobody hears of.
   */
  leaseRenewed(domain: string): Promise<void>
  /** Ends the leases of all attempts that are under way: the next sweep takes them back. */
  endAttempts(): Promise<void>
  close(): Promise<void>
}

/**
 * Reads what stands in Redis over one connection that comes back by itself. The scenarios look a thousand times, and a
 * process of the command line for each look costs a hundred times the look; that it says the same is proven in cli.test.ts.
 */
export function readingsOf(address: RedisAddress): Readings {
  const log = () => {}
  const client = connectImpatient(address, 'scenario', log)
  const keys = keyPrefix(address.prefix, address.shard)
  const readings = createReadings(createCall(client, keys, Date.now, log), client, keys, Date.now)
  return {
    async trace(id) {
      const seen = await readings.trace(id.split('.')[0]!)
      if (seen === undefined) throw new Error(`Cannot trace ${id}: nothing is known of it`)
      return seen
    },
    async ledger() {
      const ledger = await readings.ledger()
      return { ...ledger, balanced: imbalances(ledger).length === 0 }
    },
    async endLease(domain) {
      // Redis may have been restarted in the moment before.
      await eventually(() => client.del(`${keys}lease:${domain}`), { what: 'the lease to be ended' })
    },
    async leaseRenewed(domain) {
      let leftMs = Number.POSITIVE_INFINITY
      let renewals = 0
      const look = async () => {
        const before = leftMs
        leftMs = await client.pttl(`${keys}lease:${domain}`)
        if (leftMs > before) renewals += 1
        return renewals >= 2
      }
      await eventually(look, { what: 'the lease to be renewed' })
    },
    async endAttempts() {
      for (const id of await client.zrange(`${keys}underway`, '0', '-1'))
        await client.zadd(`${keys}underway`, 'XX', '1', id)
    },
    close: () => disconnect(client),
  }
}
