/**
 * The store as plain values: what the scripts must do, said as simply as it can be said, for sequences of random
 * transitions. It keeps everything for ever and counts by looking at everything.
 */
import type { DeliveryState } from '../../src/domain/delivery.ts'

export interface ModelDelivery {
  readonly id: string
  readonly to: string
  readonly route: string
  readonly lane: string | undefined
  readonly expiresAtMs: number | undefined
  state: DeliveryState
  /** Place in the lane, and the one that it has when no attempt is under way. */
  place: number
  ownPlace: number
  /** What an operator asked for while an attempt was under way. */
  asked: 'dropped' | 'dead' | undefined
  /** The reason that an operator gave for dropping it, 'parked', or 'matched-again'. */
  byHand: string
  dueMs: number
  holder: string | undefined
  /** Under way as a suspect. */
  alone: boolean
  closes: number
  crashes: number
  leaseEndMs: number
  tries: number
  records: number
  endedMs: number
  /** Its attempt probes the destination. */
  probe: boolean
  /** Its receiver has answered. */
  proven: boolean
}

export interface ModelDocument {
  readonly id: string
  readonly type: string
  /** Size of its payload, while it has it. */
  bytes: number
  /** Until when a bounce may reopen a delivery. */
  reopenableMs: number
  /** Order of acceptance. */
  sequence: number
  /** It has a place in the order; what never had an ordered delivery is given one when it needs it. */
  placed: boolean
  deliveries: ModelDelivery[]
  /** Of a document without deliveries. */
  own: 'held' | 'dead' | 'dropped' | undefined
  readonly wasHeld: boolean
  /** The reason that an operator gave for dropping or refusing it. */
  byHand?: string
  report: 'delivered' | 'failed' | 'all' | undefined
  /** Number of the end of which a report is owed; 0 for none. */
  owed: number
  ends: number
  diedMs: number
  receivedMs: number
  finishedMs: number
  gone: boolean
}

export const LEASE_MS = 120_000
const STATES = ['waiting', 'dead', 'expired', 'dropped', 'delivered'] as const

export function createModel(now: () => number, kept: { ms: number; finished: number; dead: number; bounceMs: number }) {
  const documents = new Map<string, ModelDocument>()
  const open = new Set<string>()
  let sequence = 0
  const nextPlace = () => {
    sequence += 1
    return sequence
  }

  const deliveries = () => [...documents.values()].flatMap((document) => document.deliveries)
  const documentOf = (delivery: ModelDelivery) => documents.get(delivery.id.split('.')[0]!)!
  const find = (id: string) => documents.get(id.split('.')[0]!)?.deliveries.find((delivery) => delivery.id === id)
  const present = (id: string) => (documents.get(id.split('.')[0]!)?.gone === false ? find(id) : undefined)

  function stateOf(document: ModelDocument): DeliveryState | 'held' {
    if (document.own) return document.own
    return STATES.find((state) => document.deliveries.some((delivery) => delivery.state === state))!
  }

  function laneOf(delivery: ModelDelivery): ModelDelivery[] {
    return deliveries()
      .filter(({ lane, to, state }) => state === 'waiting' && lane === delivery.lane && to === delivery.to)
      .sort((one, other) => one.place - other.place)
  }

  const isHead = (delivery: ModelDelivery) => delivery.lane === undefined || laneOf(delivery)[0] === delivery

  function change(delivery: ModelDelivery, state: DeliveryState): void {
    const document = documentOf(delivery)
    const was = delivery.state
    delivery.state = state
    if (state !== 'delivered') delivery.probe = false
    delivery.byHand = ''
    delivery.asked = undefined
    if (was !== 'dead' || state === 'waiting') settleReport(document)
    delivery.holder = undefined
    delivery.endedMs = now()
    if (isFinished(document)) finish(document)
  }

  const isFinished = (document: ModelDocument) => ['delivered', 'expired', 'dropped'].includes(stateOf(document))

  function finish(document: ModelDocument): void {
    document.finishedMs = now()
    spend(document)
  }

  function spend(document: ModelDocument): void {
    if (document.reopenableMs < now()) document.bytes = 0
  }

  /** The attempt is over, and it waits again or ends as was asked for. Gives whoever is first now where that is another one. */
  function goOn(delivery: ModelDelivery, dueMs: number): string[] {
    delivery.holder = undefined
    delivery.probe = false
    if (delivery.asked) return endByHand(delivery, delivery.asked, delivery.byHand)
    delivery.place = delivery.ownPlace
    delivery.dueMs = dueMs
    const next = delivery.lane === undefined ? delivery : laneOf(delivery)[0]
    return next && next !== delivery && next.dueMs <= now() ? [next.id] : []
  }

  function endByHand(delivery: ModelDelivery, state: 'dropped' | 'dead', reason: string): string[] {
    if (state === 'dead') delivery.records += 1
    const wasFirst = isHead(delivery)
    change(delivery, state)
    delivery.byHand = reason
    const next = wasFirst && delivery.lane !== undefined ? laneOf(delivery)[0] : undefined
    return next && next.dueMs <= now() ? [next.id] : []
  }

  function askFor(delivery: ModelDelivery, state: 'dropped' | 'dead', reason: string): 'ended' | 'asked' | 'refused' {
    if (delivery.state === state && delivery.byHand === reason) return 'ended'
    if (delivery.state !== 'waiting' && !(delivery.state === 'dead' && state === 'dropped')) return 'refused'
    if (delivery.holder === undefined) {
      endByHand(delivery, state, reason)
      return 'ended'
    }
    delivery.asked = state
    delivery.byHand = reason
    return 'asked'
  }

  function comeBack(delivery: ModelDelivery, dueMs: number, place = delivery.ownPlace): void {
    const first = delivery.lane === undefined ? undefined : laneOf(delivery)[0]
    if (first?.holder && first.place > place) first.place = place - 0.5
    if (delivery.probe) delivery.tries -= 1
    change(delivery, 'waiting')
    delivery.place = delivery.ownPlace = place
    delivery.dueMs = dueMs
  }

  function settleReport(document: ModelDocument): void {
    const state = stateOf(document)
    const fits = document.report === (state === 'delivered' ? 'delivered' : 'failed') || document.report === 'all'
    const isOwed = fits && state !== 'waiting' && state !== 'held'
    if (isOwed) document.ends += 1
    document.owed = isOwed ? document.ends : 0
  }

  const isSuspect = ({ closes, crashes }: ModelDelivery) => closes >= 3 || crashes >= 3

  function begin(delivery: ModelDelivery, instance: string): void {
    delivery.holder = instance
    delivery.leaseEndMs = now() + LEASE_MS
    delivery.tries += 1
    delivery.alone = isSuspect(delivery)
  }

  function acquit(delivery: ModelDelivery): void {
    delivery.closes = 0
    delivery.crashes = 0
  }

  const isExpired = ({ expiresAtMs }: ModelDelivery) => expiresAtMs !== undefined && expiresAtMs <= now()

  return {
    documents,
    deliveries,
    find,
    open,
    isHead,
    isSuspect,
    stateOf,

    accept(
      id: string,
      type: string,
      planned: readonly Pick<ModelDelivery, 'to' | 'route' | 'lane' | 'expiresAtMs'>[],
      bytes: number,
      report?: ModelDocument['report'],
      isHeld = false,
    ): void {
      sequence += 1
      const document: ModelDocument = {
        id,
        type,
        bytes,
        reopenableMs: 0,
        sequence,
        placed: planned.some(({ lane }) => lane !== undefined),
        deliveries: [],
        own: isHeld ? 'held' : ownState(planned.length),
        wasHeld: isHeld,
        report,
        owed: 0,
        ends: 0,
        diedMs: now(),
        receivedMs: now(),
        finishedMs: 0,
        gone: false,
      }
      document.deliveries = planned.map((one, index) => fresh(`${id}.${index}`, one, sequence))
      documents.set(id, document)
      if (planned.length === 0 && !isHeld) settleReport(document)
    },

    start(ids: readonly string[], instance: string): string[] {
      const started: string[] = []
      for (const id of new Set(ids)) {
        const delivery = present(id)
        if (delivery?.state !== 'waiting' || delivery.holder || !isHead(delivery)) continue
        if (isExpired(delivery)) continue
        if (delivery.dueMs > now() + 50 || isSuspect(delivery)) continue
        if (open.has(delivery.to) && !delivery.probe) continue
        begin(delivery, instance)
        started.push(id)
      }
      return started
    },

    /** Those of which one may be begun next. */
    suspectsDue(): string[] {
      const may = (one: ModelDelivery) => one.state === 'waiting' && !one.holder && isHead(one) && !isExpired(one)
      return deliveries()
        .filter((one) => isSuspect(one) && may(one) && one.dueMs <= now())
        .map(({ id }) => id)
    },

    startSuspect: (id: string, instance: string): void => begin(find(id)!, instance),

    prolong(id: string, instance: string): void {
      const delivery = present(id)
      if (delivery?.holder !== instance || delivery.leaseEndMs <= now()) return
      delivery.leaseEndMs = Math.max(delivery.leaseEndMs, now() + LEASE_MS)
    },

    cleared(id: string, instance: string): void {
      const delivery = present(id)
      if (delivery?.holder === instance) delivery.alone = false
    },

    end(
      id: string,
      instance: string,
      kind: 'delivered' | 'proven' | 'retry' | 'void' | 'closed' | 'dead' | 'expired',
      dueMs: number,
    ): string[] {
      const delivery = present(id)
      if (!delivery || delivery.holder !== instance) return []
      delivery.records += 1
      if (kind === 'void' || kind === 'closed') delivery.tries -= 1
      if (kind === 'closed') delivery.closes += 1
      const isDelivered = kind === 'delivered' || kind === 'proven'
      if (kind === 'retry' || isDelivered || kind === 'dead') acquit(delivery)
      if (kind === 'retry' || kind === 'void' || kind === 'closed') return goOn(delivery, dueMs)
      if (delivery.asked && kind === 'dead') return endByHand(delivery, delivery.asked, delivery.byHand)
      delivery.proven = kind === 'proven'
      const document = documentOf(delivery)
      if (kind === 'delivered') document.reopenableMs = Math.max(document.reopenableMs, now() + kept.bounceMs)
      change(delivery, isDelivered ? 'delivered' : kind)
      const next = delivery.lane === undefined ? undefined : laneOf(delivery)[0]
      return next && next.dueMs <= now() ? [next.id] : []
    },

    /** What waits for it is due now. */
    close(to: string): string[] {
      open.delete(to)
      const waiting = deliveries().filter((one) => one.to === to && one.state === 'waiting' && !one.holder)
      return waiting.filter(isHead).map(({ id }) => id)
    },

    giveUp(id: string): void {
      const delivery = find(id)!
      delivery.records += 1
      change(delivery, 'dead')
    },

    expire(): string[] {
      const expired = deliveries().filter((one) => one.state === 'waiting' && !one.holder && isExpired(one))
      for (const delivery of expired) change(delivery, 'expired')
      return expired.map(({ id }) => id)
    },

    takeBack(which: (delivery: ModelDelivery) => boolean): number {
      const taken = deliveries().filter((delivery) => delivery.holder !== undefined && which(delivery))
      for (const delivery of taken) {
        delivery.tries -= 1
        delivery.records += 1
        goOn(delivery, now())
      }
      return taken.length
    },

    reclaim(instance: string): { deliveries: number; dead: string[] } {
      const broken = deliveries().filter(
        (one) => one.holder !== undefined && one.holder !== instance && one.alone && one.crashes >= 3 && !one.asked,
      )
      for (const delivery of broken) {
        delivery.records += 1
        change(delivery, 'dead')
      }
      const others = deliveries().filter(({ holder }) => holder !== undefined && holder !== instance)
      for (const delivery of others) delivery.crashes += 1
      const taken = this.takeBack((one) => others.includes(one))
      return { deliveries: broken.length + taken, dead: broken.map(({ id }) => id).sort() }
    },

    bounce(id: string, from: string, dueMs: number | undefined): boolean {
      const delivery = present(id)
      if (delivery?.state !== 'delivered' || delivery.proven) return false
      if (delivery.to !== from || now() - delivery.endedMs > kept.bounceMs) return false
      delivery.records += 1
      if (dueMs === undefined) change(delivery, 'dead')
      else comeBack(delivery, dueMs)
      return true
    },

    redrive(id: string, keepPlace: boolean): boolean {
      const delivery = present(id)
      if (delivery?.state !== 'dead' || isExpired(delivery)) return false
      delivery.tries = 0
      if (!isSuspect(delivery)) acquit(delivery)
      delivery.records += 1
      const isOrdered = delivery.lane !== undefined
      comeBack(delivery, now(), isOrdered && !keepPlace ? nextPlace() : delivery.ownPlace)
      return true
    },

    replan(id: string, planned: readonly Pick<ModelDelivery, 'to' | 'route' | 'lane' | 'expiresAtMs'>[]): boolean {
      const document = documents.get(id)
      if (document?.own !== 'dead' || document.gone) return false
      sequence += 1
      document.own = undefined
      document.sequence = sequence
      document.placed = true
      document.deliveries = planned.map((one, index) => ({ ...fresh(`${id}.${index}`, one, sequence), records: 1 }))
      settleReport(document)
      return true
    },

    release(id: string, planned: readonly Pick<ModelDelivery, 'to' | 'route' | 'lane' | 'expiresAtMs'>[]): boolean {
      const document = documents.get(id)
      if (document?.own !== 'held') return false
      document.own = planned.length === 0 ? 'dead' : undefined
      if (planned.length === 0) document.diedMs = now()
      else document.sequence = nextPlace()
      document.placed = planned.length > 0
      document.deliveries = planned.map((one, index) => ({
        ...fresh(`${id}.${index}`, one, document.sequence),
        records: 1,
      }))
      settleReport(document)
      return true
    },

    refuse(id: string, reason: string): boolean {
      const document = documents.get(id)
      if (!document?.wasHeld || document.gone) return false
      if (document.own === 'dropped' && document.byHand === reason) return true
      if (document.own !== 'held') return false
      endHeld(document, reason)
      return true
    },

    rematch(
      id: string,
      planned: readonly Pick<ModelDelivery, 'to' | 'route' | 'lane' | 'expiresAtMs'>[],
      keepPlace: boolean,
    ): boolean {
      const delivery = present(id)
      if (delivery?.state !== 'dead') return false
      const document = documentOf(delivery)
      const hasPlace = (other: ModelDelivery) => other !== delivery && other.byHand !== 'matched-again'
      const others = document.deliveries.filter(hasPlace).map((other) => other.to)
      const fresher = planned.filter((one) => !others.includes(one.to))
      if (fresher.length === 0) return false
      const place = document.placed && keepPlace ? document.sequence : nextPlace()
      if (!document.placed) document.sequence = place
      document.placed = true
      // One step: it is never finished between.
      const { bytes } = document
      change(delivery, 'dropped')
      delivery.byHand = 'matched-again'
      document.bytes = bytes
      for (const one of fresher) {
        const next = fresh(`${document.id}.${document.deliveries.length}`, one, place)
        next.records = 1
        next.state = 'dead'
        document.deliveries.push(next)
        comeBack(next, now())
      }
      return true
    },

    drop(id: string, reason: string): 'ended' | 'asked' | 'refused' {
      const document = documents.get(id)
      if (document?.own === 'dropped' && !document.gone && document.byHand === reason) return 'ended'
      if (document?.own === 'dead' && !document.gone) {
        document.own = 'dropped'
        document.byHand = reason
        finish(document)
        return 'ended'
      }
      const delivery = present(id)
      return delivery ? askFor(delivery, 'dropped', reason) : 'refused'
    },

    park(id: string): 'ended' | 'asked' | 'refused' {
      const delivery = present(id)
      return delivery ? askFor(delivery, 'dead', 'parked') : 'refused'
    },

    prune(): number {
      const finished = [...documents.values()].filter((document) => !document.gone && isFinished(document))
      const removed = outdated(
        finished.map((document) => ({ at: document.finishedMs, id: document.id, document })),
        kept.finished,
      )
      for (const { document } of removed) {
        if (document.owed > 0) document.finishedMs = now()
        else document.gone = true
      }
      const letters = [
        ...deliveries()
          .filter(({ state }) => state === 'dead')
          .map((delivery) => ({ at: delivery.endedMs, id: delivery.id, end: () => change(delivery, 'dropped') })),
        ...[...documents.values()]
          .filter(({ own }) => own === 'dead')
          .map((document) => ({
            at: document.diedMs,
            id: document.id,
            end: () => {
              document.own = 'dropped'
              finish(document)
            },
          })),
      ]
      for (const letter of outdated(letters, kept.dead)) letter.end()
      for (const document of documents.values()) {
        if (document.own === 'held' && document.receivedMs < now() - kept.ms) endHeld(document, '')
        if (!document.gone && isFinished(document)) spend(document)
      }
      return removed.filter(({ document }) => document.gone).length
    },

    ledger() {
      const all = [...documents.values()]
      return {
        documents: { accepted: all.length, ...countDocuments(all.map(stateOf)) },
        bytes: bytesOf(all.filter(({ gone }) => !gone)),
        deliveries: { planned: deliveries().length, ...count(deliveries().map(({ state }) => state)) },
        types: grouped(
          all,
          ({ type }) => type,
          (some) => ({ accepted: some.length, ...countDocuments(some.map(stateOf)) }),
        ),
        routes: grouped(
          deliveries(),
          ({ route }) => route,
          (some) => ({
            planned: some.length,
            ...count(some.map(({ state }) => state)),
          }),
        ),
      }
    },
  }

  function endHeld(document: ModelDocument, reason: string): void {
    document.own = 'dropped'
    document.byHand = reason
    finish(document)
    settleReport(document)
  }

  function fresh(
    id: string,
    planned: Pick<ModelDelivery, 'to' | 'route' | 'lane' | 'expiresAtMs'>,
    place: number,
  ): ModelDelivery {
    const unsuspected = { alone: false, closes: 0, crashes: 0 }
    const times = { dueMs: now(), leaseEndMs: 0, endedMs: 0 }
    const byHand = { asked: undefined, byHand: '', probe: false, proven: false }
    return {
      ...{ id, ...planned, ...times, ...byHand, ...unsuspected, place, ownPlace: place },
      ...{ state: 'waiting', holder: undefined, tries: 0, records: 0 },
    }
  }

  function bytesOf(present: readonly ModelDocument[]) {
    const of = (...states: (DeliveryState | 'held')[]) =>
      present.filter((one) => states.includes(stateOf(one))).reduce((sum, { bytes }) => sum + bytes, 0)
    return {
      waiting: of('waiting'),
      held: of('held'),
      dead: of('dead'),
      finished: of('delivered', 'expired', 'dropped'),
    }
  }

  function outdated<T extends { readonly at: number; readonly id: string }>(all: readonly T[], keptCount: number): T[] {
    const sorted = [...all].sort((one, other) => one.at - other.at || (one.id < other.id ? -1 : 1))
    return sorted.filter((one, index) => index < sorted.length - keptCount || one.at < now() - kept.ms)
  }
}

/** Of a document that is matched at once: without deliveries it is dead by itself. */
function ownState(deliveries: number): 'dead' | undefined {
  return deliveries === 0 ? 'dead' : undefined
}

function countDocuments(states: readonly (DeliveryState | 'held')[]) {
  return { ...count(states), held: states.filter((state) => state === 'held').length }
}

function count(states: readonly (DeliveryState | 'held')[]): Record<DeliveryState, number> {
  const of = (state: DeliveryState) => states.filter((one) => one === state).length
  return {
    waiting: of('waiting'),
    delivered: of('delivered'),
    dead: of('dead'),
    expired: of('expired'),
    dropped: of('dropped'),
  }
}

function grouped<T, R>(all: readonly T[], by: (one: T) => string, sum: (some: readonly T[]) => R): Record<string, R> {
  const names = [...new Set(all.map(by))].sort()
  return Object.fromEntries(names.map((name) => [name, sum(all.filter((one) => by(one) === name))]))
}

/** The same numbers for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
