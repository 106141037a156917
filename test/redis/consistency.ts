/**
 * Whether what stands in Redis fits together (src/redis/scripts/transition.lua says what there is): nothing that belongs to
 * nobody, nothing waiting that nobody would ever find, and a ledger that says what the envelopes say.
 */
import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { readShard, type Shard, type StoredDelivery, type StoredEnvelope } from './shard.ts'

const FINISHED = ['delivered', 'expired', 'dropped']
/** A document is in the first that applies; docs/operations.md, guarantee 2. */
const DOCUMENT_STATES = ['waiting', 'held', 'dead', 'expired', 'dropped', 'delivered'] as const
const DELIVERY_STATES = ['waiting', 'delivered', 'dead', 'expired', 'dropped'] as const

/** Reads everything under the prefix, while nobody writes, and says in words what is wrong with it. */
export async function inconsistencies(client: Redis, prefix: string): Promise<string[]> {
  return findInconsistencies(await readShard(client, prefix))
}

export function findInconsistencies(shard: Shard): string[] {
  return [...findOrphans(shard), ...findLedgerFaults(shard)]
}

/** Members without what they stand for, deliveries that nobody would find, claims on nothing, keys that nobody knows. */
export function findOrphans(shard: Shard): string[] {
  const deliveries = new Map(
    [...shard.envelopes.values()].flatMap((envelope) => envelope.deliveries.map((one) => [one.id, one] as const)),
  )
  const unwritten = new Map(
    [...shard.envelopes.values()].flatMap((envelope) =>
      (envelope.unwritten ?? []).map((one) => [one.id, one] as const),
    ),
  )
  const planned = new Map([...deliveries, ...unwritten])
  return [
    ...shard.strange.map((key) => `nobody knows the key ${key}`),
    ...[...shard.envelopes.values()].flatMap(summedUpWrongly),
    ...[...deliveries.values()].flatMap((delivery) => misplaced(delivery, shard)),
    ...[...shard.envelopes.values()].flatMap((envelope) => documentMisplaced(envelope, shard)),
    ...[...unwritten.values()].flatMap((delivery) => misplacedUnwritten(delivery, shard)),
    ...membersOfNobody(shard, deliveries, planned),
    ...disorderedLanes(shard, planned),
  ]
}

function summedUpWrongly({ id, sum, deliveries, payloadBytes, unwritten = [] }: StoredEnvelope): string[] {
  if (sum.state === undefined) return [`envelope ${id} has no sum`]
  const faults: string[] = []
  if (deliveries.length + unwritten.length > 0) {
    if (sum.held !== 0) faults.push(`envelope ${id} is held, but has deliveries`)
    for (const state of DELIVERY_STATES) {
      const count = [...deliveries, ...unwritten].filter(({ facts }) => facts.state === state).length
      if (sum[state] !== count) faults.push(`envelope ${id} counts ${sum[state]} ${state}, but has ${count}`)
    }
  }
  const state = DOCUMENT_STATES.find((one) => sum[one] > 0) ?? 'delivered'
  if (sum.state !== state) faults.push(`envelope ${id} is ${sum.state}, but ought to be ${state}`)
  if ((sum.bytes ?? 0) !== payloadBytes)
    faults.push(`envelope ${id} counts ${sum.bytes} bytes, but has ${payloadBytes}`)
  return faults
}

function digestOf(destination: string): string {
  return createHash('sha1').update(destination).digest('hex')
}

/** Where a delivery stands must follow from its state. */
function misplaced({ id, facts }: StoredDelivery, { sets, lanes, barred, breakers }: Shard): string[] {
  const isIn = (name: string) => sets.get(name)!.has(id)
  const isBarred = barred.get(digestOf(facts.to))?.has(id) === true
  // What has failed is barred as well as later, so that it goes on with the others when its destination answers.
  const waitsForDestination = isIn('lapsing') && isBarred && breakers[facts.to] !== undefined
  const places = ['ready', 'later', 'suspects', 'underway'].filter(isIn)
  if (places.length === 0 && waitsForDestination) places.push('barred')
  const lane = facts.lane === undefined ? undefined : lanes.get(facts.lane)
  const faults: string[] = []
  const expect = (holds: boolean, fault: string) => {
    if (!holds) faults.push(`delivery ${id} (${facts.state}) ${fault}`)
  }
  expect(isIn('dead') === (facts.state === 'dead'), `is ${isIn('dead') ? '' : 'not '}in dead`)
  if (facts.state !== 'waiting') {
    expect(places.length === 0 && !isBarred && !isIn('lapsing'), `is in ${places}, or barred`)
    expect(!isIn('expiring'), 'is in expiring')
    expect(!lane?.has(id), `is in its lane ${facts.lane}`)
    expect(facts.holder === undefined, `is held by ${facts.holder}`)
    return faults
  }
  const isFirst = facts.lane === undefined || (lane !== undefined && lane.keys().next().value === id)
  if (facts.lane !== undefined) expect(lane?.has(id) === true, `is not in its lane ${facts.lane}`)
  if (facts.holder !== undefined) {
    expect(places.join() === 'underway', `is held by ${facts.holder}, but stands in [${places}]`)
    expect(isFirst, 'is under way, but not the first of its lane')
  } else if (isFirst) {
    expect(places.length === 1 && places[0] !== 'underway', `can be started by nobody: it stands in [${places}]`)
    expect(facts.expires === undefined || isIn('expiring'), 'would never expire')
  } else {
    expect(places.length === 0, `is not the first of its lane, but stands in [${places}]`)
    expect(facts.expires === undefined || isIn('expiring'), 'would never expire')
  }
  return faults
}

/** It has its place in the order, and nothing else yet. */
function misplacedUnwritten({ id, facts }: StoredDelivery, { sets, lanes }: Shard): string[] {
  const places = [...sets.keys()].filter((name) => sets.get(name)!.has(id))
  return [
    ...places.map((name) => `delivery ${id} is still to be written, but stands in ${name}`),
    ...(facts.lane === undefined || lanes.get(facts.lane)?.has(id)
      ? []
      : [`delivery ${id} is still to be written, and is not in its lane ${facts.lane}`]),
  ]
}

function documentMisplaced(
  { id, sum, deliveries, hasPayload, unwritten = [] }: StoredEnvelope,
  { sets }: Shard,
): string[] {
  const faults: string[] = []
  const isFinished = FINISHED.includes(sum.state)
  if (sets.get('finished')!.has(id) !== isFinished) {
    faults.push(`envelope ${id} (${sum.state}) is ${isFinished ? 'not ' : ''}in finished`)
  }
  const isReopenable = sets.get('reopenable')!.has(id)
  if (isReopenable && !isFinished) faults.push(`envelope ${id} (${sum.state}) is in reopenable`)
  if (!isFinished && !hasPayload) faults.push(`envelope ${id} (${sum.state}) has lost its payload`)
  // What was finished before any of this was known has its payload for as long as the retention keeps it.
  const isSpent = sum.reopenable === undefined ? sum.bytes === 0 : !isReopenable
  if (isFinished && isSpent && hasPayload)
    faults.push(`envelope ${id} (${sum.state}) keeps a payload that nobody removes`)
  if (isFinished && !isSpent && !hasPayload) faults.push(`envelope ${id} (${sum.state}) has lost its payload too early`)
  if (sets.get('held')!.has(id) !== (sum.state === 'held'))
    faults.push(`envelope ${id} (${sum.state}) is in held, or not`)
  if (sets.get('expanding')!.has(id) ? sum.rest === undefined : unwritten.length > 0)
    faults.push(`envelope ${id} (${sum.state}) is ${unwritten.length > 0 ? 'not ' : ''}in expanding`)
  const isDeadByItself = deliveries.length === 0 && sum.state === 'dead'
  if (sets.get('dead')!.has(id) !== isDeadByItself) {
    faults.push(`envelope ${id} (${sum.state}) is ${isDeadByItself ? 'not ' : ''}in dead`)
  }
  if (sets.get('reports')!.has(id) && (sum.report === undefined || sum.waiting + sum.held > 0)) {
    faults.push(`envelope ${id} (${sum.state}) is in reports, but none is owed`)
  }
  return faults
}

function membersOfNobody(
  { sets, lanes, barred, claims, envelopes, ledger }: Shard,
  deliveries: ReadonlyMap<string, unknown>,
  planned: ReadonlyMap<string, unknown>,
) {
  const faults: string[] = []
  const expect = (where: string, id: string, exists: boolean) => {
    if (!exists) faults.push(`${where} holds ${id}, which does not exist`)
  }
  for (const name of ['ready', 'later', 'suspects', 'lapsing', 'underway', 'expiring']) {
    for (const id of sets.get(name)!.keys()) expect(name, id, deliveries.has(id))
  }
  for (const [name, members] of lanes) for (const id of members.keys()) expect(`lane ${name}`, id, planned.has(id))
  for (const members of barred.values()) for (const id of members.keys()) expect('barred', id, deliveries.has(id))
  for (const id of sets.get('dead')!.keys()) expect('dead', id, deliveries.has(id) || envelopes.has(id))
  for (const name of ['expanding', 'finished', 'reopenable', 'held', 'reports']) {
    for (const id of sets.get(name)!.keys()) expect(name, id, envelopes.has(id))
  }
  // What retention has removed may still be claimed.
  const isPruned = Number(ledger['documents accepted'] ?? 0) > envelopes.size
  if (!isPruned) for (const [name, id] of claims) expect(name, id, envelopes.has(id))
  return faults
}

function disorderedLanes({ lanes, envelopes }: Shard, deliveries: ReadonlyMap<string, StoredDelivery>): string[] {
  const faults: string[] = []
  for (const [name, members] of lanes) {
    for (const [id, score] of members) {
      const delivery = deliveries.get(id)
      if (!delivery) continue
      if (delivery.facts.lane !== name) faults.push(`lane ${name} holds ${id} of lane ${delivery.facts.lane}`)
      const place = delivery.facts.place ?? envelopes.get(id.split('.')[0]!)!.sum.sequence
      // One that is under way stays before an older one that comes back.
      const isInPlace = delivery.facts.holder === undefined ? score === place : score <= place
      if (!isInPlace) faults.push(`lane ${name} holds ${id} at ${score}, not at its place ${place}`)
    }
  }
  return faults
}

/** Both equations of guarantee 2, and each count against what the envelopes come to. */
export function findLedgerFaults({ envelopes, ledger, senders, holding }: Shard): string[] {
  const counted = new Map<string, number>()
  const add = (name: string, by = 1) => counted.set(name, (counted.get(name) ?? 0) + by)
  const waitingOf: Record<string, number> = {}
  const heldOf: Record<string, number> = {}
  for (const { sum, deliveries, unwritten = [] } of envelopes.values()) {
    for (const state of ['accepted', sum.state]) {
      add(`documents ${state}`)
      add(`type ${state} ${sum.type}`)
    }
    add(`bytes ${FINISHED.includes(sum.state) ? 'finished' : sum.state}`, sum.bytes ?? 0)
    if (sum.state === 'held') heldOf[sum.sender] = (heldOf[sum.sender] ?? 0) + 1
    if (sum.state === 'waiting') waitingOf[sum.sender] = (waitingOf[sum.sender] ?? 0) + 1
    for (const { facts } of [...deliveries, ...unwritten]) {
      for (const state of ['planned', facts.state]) {
        add(`deliveries ${state}`)
        add(`route ${state} ${facts.route}`)
      }
    }
  }
  const faults = unbalanced(ledger)
  for (const name of new Set([...Object.keys(ledger), ...counted.keys()])) {
    const says = Number(ledger[name] ?? 0)
    const are = counted.get(name) ?? 0
    const state = name.split(' ')[1]!
    // What retention has removed is still counted as accepted, planned and finished; what waits or is dead is never removed.
    const mayBeMore = !name.startsWith('bytes') && ['accepted', 'planned', 'duplicate', ...FINISHED].includes(state)
    if (mayBeMore ? says < are : says !== are) faults.push(`the ledger says ${name}: ${says}, the envelopes ${are}`)
  }
  return [...faults, ...miscounted('senders', senders, waitingOf), ...miscounted('holding', holding, heldOf)]
}

function miscounted(name: string, says: Shard['senders'], are: Readonly<Record<string, number>>): string[] {
  const senders = new Set([...Object.keys(says), ...Object.keys(are)])
  return [...senders].flatMap((sender) =>
    Number(says[sender] ?? 0) === (are[sender] ?? 0)
      ? []
      : [`${name} says ${sender}: ${says[sender]}, the envelopes ${are[sender]}`],
  )
}

function unbalanced(ledger: Readonly<Record<string, string>>): string[] {
  const groups = new Map<string, { whole: number; parts: number }>()
  for (const [field, count] of Object.entries(ledger)) {
    const [group, state, ...name] = field.split(' ')
    if (group === 'bytes' || state === 'duplicate') continue
    const id = [group, ...name].join(' ')
    const sums = groups.get(id) ?? { whole: 0, parts: 0 }
    if (state === 'accepted' || state === 'planned') sums.whole += Number(count)
    else sums.parts += Number(count)
    groups.set(id, sums)
  }
  return [...groups].flatMap(([id, { whole, parts }]) =>
    whole === parts ? [] : [`the ledger does not balance for ${id}: ${whole} came, ${parts} are in a state`],
  )
}
