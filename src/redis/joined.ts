import type { Archive, DeadGroup, Ledger, Store } from '../flow/ports.ts'
import type { RedisStore } from './store.ts'

/** What operators look at and change; what workers do belongs to one shard each. */
export type OperatorsStore = Pick<
  Store,
  | 'accept'
  | 'trace'
  | 'payload'
  | 'ledger'
  | 'depth'
  | 'lanes'
  | 'dead'
  | 'deadGroups'
  | 'held'
  | 'redrive'
  | 'replan'
  | 'drop'
  | 'park'
  | 'plan'
  | 'refuse'
> &
  Archive &
  Pick<RedisStore, 'figures' | 'registry' | 'presence' | 'served' | 'openDestinations' | 'probeWrites' | 'close'>

/** All shards of an installation as one: lists and counts are of all, what has an id is where it was accepted. The first has what is common. */
export function joinStores(stores: readonly [RedisStore, ...RedisStore[]]): OperatorsStore {
  const [first] = stores
  if (stores.length === 1) return first
  const all = <T>(look: (store: RedisStore) => Promise<T>) => Promise.all(stores.map(look))
  const list = async <T>(look: (store: RedisStore) => Promise<readonly T[]>) => (await all(look)).flat()
  const found = async <T>(look: (store: RedisStore) => Promise<T | undefined>) => {
    return (await all(look)).find((one) => one !== undefined)
  }

  /** Of a document or a delivery; where nobody knows it, the first says so. */
  async function ownerOf(id: string): Promise<RedisStore> {
    const traces = await all((store) => store.trace(id.split('.')[0]!))
    return stores[traces.findIndex((trace) => trace !== undefined)] ?? first
  }

  async function archiveOf(id: string): Promise<RedisStore> {
    const documents = await all((store) => store.archivedDocument(id))
    return stores[documents.findIndex((one) => one !== undefined)] ?? first
  }

  return {
    registry: first.registry,
    presence: first.presence,
    served: first.served,
    figures: () => first.figures(),
    trace: (id) => found((store) => store.trace(id)),
    payload: (id) => found((store) => store.payload(id)),
    archivedDocument: (id) => found((store) => store.archivedDocument(id)),
    ledger: async () => (await all((store) => store.ledger())).reduce(addLedgers),
    depth: async () => (await all((store) => store.depth())).reduce(addDepths),
    lanes: async () => (await list((store) => store.lanes())).sort((one, other) => other.waiting - one.waiting),
    async dead(filter) {
      const letters = await list((store) => store.dead(filter))
      return letters.sort((one, other) => other.diedAtMs - one.diedAtMs).slice(0, filter.limit)
    },
    async deadGroups(filter) {
      const groups = await list((store) => store.deadGroups(filter))
      return joinGroups(groups).sort((one, other) => other.count - one.count)
    },
    async held(filter) {
      const documents = await list((store) => store.held(filter))
      return documents.sort(newestFirst).slice(0, filter.limit)
    },
    async archived(filter) {
      const documents = await list((store) => store.archived(filter))
      return documents.sort(newestFirst).slice(0, filter.limit)
    },
    openDestinations: () => list((store) => store.openDestinations()),
    redrive: async (id, how) => (await ownerOf(id)).redrive(id, how),
    replan: async (id, deliveries, how) => (await ownerOf(id)).replan(id, deliveries, how),
    drop: async (id, reason, by) => (await ownerOf(id)).drop(id, reason, by),
    park: async (id, reason, by) => (await ownerOf(id)).park(id, reason, by),
    plan: async (id, planned, order) => (await ownerOf(id)).plan(id, planned, order),
    refuse: async (id, order) => (await ownerOf(id)).refuse(id, order),
    // Again, and so where it was accepted before.
    async accept(acceptances) {
      const again = acceptances[0]?.envelope.again
      return (again ? await archiveOf(again.of) : first).accept(acceptances)
    },
    async probeWrites() {
      await all((store) => store.probeWrites())
    },
    async close() {
      await all((store) => store.close())
    },
  }
}

function newestFirst(one: { readonly receivedAtMs: number }, other: { readonly receivedAtMs: number }): number {
  return other.receivedAtMs - one.receivedAtMs
}

function joinGroups(groups: readonly DeadGroup[]): DeadGroup[] {
  const joined = new Map<string, DeadGroup>()
  for (const group of groups) {
    const known = joined.get(group.fingerprint)
    joined.set(group.fingerprint, known ? addGroups(known, group) : group)
  }
  return [...joined.values()]
}

function addGroups(one: DeadGroup, other: DeadGroup): DeadGroup {
  const newer = one.lastDiedAtMs >= other.lastDiedAtMs ? one : other
  return {
    ...newer,
    count: one.count + other.count,
    firstDiedAtMs: Math.min(one.firstDiedAtMs, other.firstDiedAtMs),
  }
}

type Depth = Awaited<ReturnType<Store['depth']>>

function addDepths(one: Depth, other: Depth): Depth {
  return { ...addCounts(one, other), oldestDueMs: Math.max(one.oldestDueMs, other.oldestDueMs) }
}

function addLedgers(one: Ledger, other: Ledger): Ledger {
  return {
    documents: addCounts(one.documents, other.documents),
    deliveries: addCounts(one.deliveries, other.deliveries),
    bytes: addCounts(one.bytes, other.bytes),
    types: addNamed(one.types, other.types),
    routes: addNamed(one.routes, other.routes),
  }
}

function addNamed<T extends object>(
  one: Readonly<Record<string, T>>,
  other: Readonly<Record<string, T>>,
): Record<string, T> {
  const names = Object.keys({ ...one, ...other }).sort()
  return Object.fromEntries(
    names.map((name) => {
      const [mine, theirs] = [one, other].map((all) => (Object.hasOwn(all, name) ? all[name] : undefined))
      return [name, mine && theirs ? addCounts(mine, theirs) : (mine ?? theirs)!]
    }),
  )
}

function addCounts<T extends object>(one: T, other: T): T {
  const added = Object.entries(one).map(([name, count]) => {
    return [name, (count as number) + (other as Record<string, number>)[name]!]
  })
  return Object.fromEntries(added) as T
}
