import type { DeliveryState } from '../domain/delivery.ts'
import type { EnvelopeTrace, ReasonCount, Standing } from './ports.ts'

/** What a document's trace comes to, for its sender. */
export function standingOf({ id, type, receivedAtMs, state, reason, holding, deliveries }: EnvelopeTrace): Standing {
  const counts = { waiting: 0, delivered: 0, dead: 0, expired: 0, dropped: 0 }
  const reasons = new Map<string, ReasonCount>()
  const addReason = (ended: DeliveryState, why: string | undefined) => {
    const shown = shownReason(ended, why)
    const key = `${ended} ${shown}`
    reasons.set(key, { state: ended, reason: shown, count: (reasons.get(key)?.count ?? 0) + 1 })
  }
  for (const delivery of deliveries) {
    counts[delivery.state]++
    if (hasFailed(delivery.state)) addReason(delivery.state, delivery.reason)
  }
  if (deliveries.length === 0 && state !== 'held' && hasFailed(state)) {
    if (holding?.ended?.how === 'refused') reasons.set(state, { state, reason: 'refused', count: 1 })
    else addReason(state, reason)
  }
  return { id, type, receivedAtMs, state, deliveries: deliveries.length, counts, reasons: [...reasons.values()] }
}

function hasFailed(state: DeliveryState): boolean {
  return state === 'dead' || state === 'expired' || state === 'dropped'
}

// What an operator wrote about a drop is meant for operators.
function shownReason(state: DeliveryState, reason: string | undefined): string {
  return state === 'dead' && reason !== undefined ? reason : state
}
