import { parseDeliveryId } from '../domain/delivery.ts'
import { envelopeTimeMs } from './ids.ts'
import type { Clock, Log, Metrics, Store } from './ports.ts'

export interface ExpireNeeds {
  readonly store: Pick<Store, 'expire'>
  readonly metrics: Pick<Metrics, 'ended'>
  readonly now: Clock
  readonly log: Log
}

const PART = 1_000

/** Ends what has expired, wherever it waits, and whether or not we are online. */
export async function expire({ store, metrics, now, log }: ExpireNeeds): Promise<void> {
  for (let more = true; more; ) {
    const ids = await store.expire(PART)
    for (const id of ids) {
      metrics.ended('expired', '', (now() - envelopeTimeMs(parseDeliveryId(id).envelopeId)) / 1000)
    }
    if (ids.length > 0) log('info', 'expired', { deliveries: ids.length })
    more = ids.length === PART
  }
}
