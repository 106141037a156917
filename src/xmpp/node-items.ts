import { attributeOf, childElements, childNamed, type Element, textOf } from '../domain/element.ts'
import { type Rejection, reject } from '../domain/rejection.ts'
import type { Answer } from '../domain/retry.ts'
import { escapeAttribute, escapeText } from '../domain/serialise.ts'
import type { NodeItem, ReadItem } from '../flow/source.ts'
import type { Connection } from './connection.ts'
import { DISCO_ITEMS, PUBSUB, RESULT_SETS } from './namespaces.ts'
import type { NodeAddress } from './nodes.ts'

export interface FetchNeeds {
  readonly connection: Pick<Connection, 'request'>
  readonly address: NodeAddress
  readonly timeoutMs: number
  /** The newest so many are looked at: not more than half of those that are remembered as taken. */
  readonly most: number
  /** What is held in memory at once, in bytes of documents; the newest beyond are left for the next fetch. */
  readonly mostBytes: number
  /** Items of an answer, each as the stanza in which it would come alone. */
  readonly itemsOf: (stanza: Element, items: Element) => readonly NodeItem[]
  /** Leaves out what was taken before. */
  readonly untaken: (items: readonly NodeItem[]) => Promise<readonly ReadItem[]>
}

export type Fetched =
  | {
      readonly kind: 'fetched'
      /** Not taken yet, oldest first. */
      readonly items: readonly ReadItem[]
      /** All that the node held. */
      readonly ids: ReadonlySet<string>
      /** False: there is more than could be held. */
      readonly whole: boolean
      /** Items that even alone can't be read. */
      readonly unreadable: readonly Unreadable[]
    }
  | { readonly kind: 'refused'; readonly answer: Answer }
  | { readonly kind: 'lost' }

export interface Unreadable {
  readonly id: string
  readonly why: Rejection
}

/** One answer of the service. */
interface Page {
  readonly items: readonly NodeItem[]
  /** XEP-0059: how to go on in both directions; undefined where the service doesn't page. */
  readonly set: { readonly first: string; readonly last: string } | undefined
}

/** Ends a fetch from within; no fault. */
class Interrupted extends Error {
  readonly outcome: Exclude<Fetched, { kind: 'fetched' }>
  constructor(outcome: Exclude<Fetched, { kind: 'fetched' }>) {
    super(outcome.kind)
    this.outcome = outcome
  }
}

const PAGE = 100
const UNREAD = reject('too-large', 'Cannot read the items: the answer has none')
/** How often a node that changes while it is read is read again. */
const READINGS = 5

/**
 * The items of a node that were not taken yet, oldest first (XEP-0060 6.5), by pages where the service has them (XEP-0059).
 * Services differ in the order of their answers, so that the newest item is asked for (6.5.7) to tell which end is which. An
 * answer that is larger than what we read comes empty; then the items are asked for by their ids (6.5.8), a few at a time.
 */
export async function fetchItems(needs: FetchNeeds): Promise<Fetched> {
  try {
    for (let reading = 1; reading <= READINGS; reading++) {
      const fetched = await readNode(needs)
      if (fetched) return fetched
    }
    return refusal('undefined-condition', 'the node changes faster than it can be read')
  } catch (error) {
    if (error instanceof Interrupted) return error.outcome
    throw error
  }
}

/** Undefined where the node changed meanwhile in a way that leaves the order in doubt. */
async function readNode(needs: FetchNeeds): Promise<Fetched | undefined> {
  const newest = await askNewest(needs)
  if (newest === 'none') return collection(needs).fetched(true)
  const start = newest === 'unreadable' ? UNREAD : await page(needs, `<max>${PAGE}</max>`)
  if (!isPage(start)) return readById(needs)
  const direction = await directionOf(start.items, newest, needs)
  if (direction === 'unknown') return undefined
  if (start.set && start.items.length >= PAGE) {
    return readPages(needs, direction === 'newest-first' ? 'after' : 'before', start)
  }
  const all = collection(needs)
  const items = direction === 'newest-first' ? start.items.toReversed() : start.items
  await all.addOlder(items.slice(-needs.most))
  return all.fetched(true)
}

/** From the newest back, until all are read or enough. */
async function readPages(needs: FetchNeeds, way: 'after' | 'before', start: Page): Promise<Fetched | undefined> {
  const all = collection(needs)
  let current: Page | Rejection = way === 'after' ? start : await page(needs, `<max>${PAGE}</max><before/>`)
  for (;;) {
    if (!isPage(current)) return readById(needs)
    await all.addOlder(way === 'after' ? current.items.toReversed() : current.items)
    const cursor = way === 'after' ? current.set?.last : current.set?.first
    if (!cursor || current.items.length === 0 || all.size >= needs.most) return all.fetched(true)
    current = await page(needs, `<max>${PAGE}</max><${way}>${escapeText(cursor)}</${way}>`)
  }
}

async function readById(needs: FetchNeeds): Promise<Fetched | undefined> {
  const ids = await idsOfNode(needs)
  const newest = await newestEnd(needs, ids)
  if (newest === undefined) return undefined
  const wanted = (newest === 'first' ? ids.toReversed() : ids).slice(-needs.most)
  const all = collection(needs)
  const unreadable: Unreadable[] = []
  let few = 16
  for (let at = 0; at < wanted.length; ) {
    const part = wanted.slice(at, at + few)
    const answer = await askById(needs, part)
    if (isPage(answer)) {
      const byId = new Map(answer.items.map((item) => [item.id, item]))
      const found = part.flatMap((id) => byId.get(id) ?? [])
      if (!(await all.addNewer(found))) return all.fetched(false, unreadable)
    } else if (few > 1) {
      few = Math.ceil(few / 4)
      continue
    } else {
      unreadable.push({ id: part[0]!, why: answer })
    }
    at += part.length
  }
  return all.fetched(true, unreadable)
}

/** XEP-0060 5.5. */
async function idsOfNode({ connection, address, timeoutMs }: FetchNeeds): Promise<readonly string[]> {
  const payload = `<query xmlns="${DISCO_ITEMS}" node="${escapeAttribute(address.node)}"/>`
  const stanza = answered(await connection.request({ to: address.service, type: 'get', payload, timeoutMs }))
  const query = childNamed(stanza, 'query', DISCO_ITEMS)
  if (!query) throw new Interrupted(refusal('too-large', 'neither the items nor their ids can be read in one stanza'))
  return childElements(query).flatMap((item) => attributeOf(item, 'name') ?? [])
}

/** Which end of the ids is the newest; undefined where the node changed meanwhile. */
async function newestEnd(needs: FetchNeeds, ids: readonly string[]): Promise<'first' | 'last' | undefined> {
  const [first, last] = [ids[0], ids.at(-1)]
  if (first === undefined || first === last) return 'last'
  const newest = await askNewest(needs)
  if (newest === last) return 'last'
  if (newest === first) return 'first'
  if (newest !== 'unreadable') return undefined
  // The newest is at one of the ends, and it is the one that can't be read.
  return isPage(await askById(needs, [last!])) ? 'first' : 'last'
}

/** XEP-0060 6.5.7. */
async function askNewest(needs: FetchNeeds): Promise<string | 'none' | 'unreadable'> {
  const answer = await askItems(needs, '', ' max_items="1"')
  return isPage(answer) ? (answer.items.at(-1)?.id ?? 'none') : 'unreadable'
}

/** XEP-0060 6.5.8. */
function askById(needs: FetchNeeds, ids: readonly string[]): Promise<Page | Rejection> {
  return askItems(needs, ids.map((id) => `<item id="${escapeAttribute(id)}"/>`).join(''))
}

async function directionOf(
  items: readonly NodeItem[],
  newest: string,
  needs: FetchNeeds,
): Promise<'oldest-first' | 'newest-first' | 'unknown'> {
  if (items.at(-1)?.id === newest) return 'oldest-first'
  if (items.length >= PAGE && items[0]?.id !== newest) return 'oldest-first'
  // What was published since the question stands at the newest end: the first is the newest only if it still is.
  return items[0]?.id === newest && (await askNewest(needs)) === newest ? 'newest-first' : 'unknown'
}

function page(needs: FetchNeeds, set: string): Promise<Page | Rejection> {
  return askItems(needs, '', '', `<set xmlns="${RESULT_SETS}">${set}</set>`)
}

/** A rejection where the answer could not be read: a service's own answer always has `<items/>` in it. */
async function askItems(needs: FetchNeeds, wanted: string, attributes = '', set = ''): Promise<Page | Rejection> {
  const { connection, address, timeoutMs, itemsOf } = needs
  const open = `<items node="${escapeAttribute(address.node)}"${attributes}`
  const payload = `<pubsub xmlns="${PUBSUB}">${wanted === '' ? `${open}/>` : `${open}>${wanted}</items>`}${set}</pubsub>`
  const answer = await connection.request({ to: address.service, type: 'get', payload, timeoutMs })
  const stanza = answered(answer)
  const pubsub = childNamed(stanza, 'pubsub', PUBSUB)
  const items = pubsub && childNamed(pubsub, 'items', PUBSUB)
  if (!items) return (answer.kind === 'result' && answer.excess) || UNREAD
  return { items: itemsOf(stanza, items), set: readSet(pubsub) }
}

function isPage(answer: Page | Rejection): answer is Page {
  return 'items' in answer
}

function readSet(pubsub: Element): Page['set'] {
  const set = childNamed(pubsub, 'set', RESULT_SETS)
  const [first, last] = [set && childNamed(set, 'first', RESULT_SETS), set && childNamed(set, 'last', RESULT_SETS)]
  return first && last && { first: textOf(first), last: textOf(last) }
}

function answered(answer: Awaited<ReturnType<Connection['request']>>): Element {
  switch (answer.kind) {
    case 'result':
      return answer.element
    case 'error':
      throw new Interrupted({ kind: 'refused', answer: answer.answer })
    case 'timeout':
      throw new Interrupted(refusal('timeout', 'the service did not answer in time'))
    case 'lost':
      throw new Interrupted({ kind: 'lost' })
  }
}

function refusal(condition: string, text: string): Extract<Fetched, { kind: 'refused' }> {
  return { kind: 'refused', answer: { condition, type: 'wait', text } }
}

interface Collection {
  addOlder(items: readonly NodeItem[]): Promise<void>
  /** False where there is no room for more. */
  addNewer(items: readonly NodeItem[]): Promise<boolean>
  readonly size: number
  fetched(whole: boolean, unreadable?: readonly Unreadable[]): Fetched
}

/** What is held: the oldest first, and the newest let go where it is too much, since the order must be kept. */
function collection({ untaken, mostBytes }: FetchNeeds): Collection {
  const ids = new Set<string>()
  let items: ReadItem[] = []
  let bytes = 0
  let cut = false

  async function read(found: readonly NodeItem[]): Promise<readonly ReadItem[]> {
    const fresh = found.filter(({ id }) => !ids.has(id))
    for (const { id } of fresh) ids.add(id)
    const some = await untaken(fresh)
    for (const one of some) bytes += one.bytes
    return some
  }

  function trim(): boolean {
    while (bytes > mostBytes && items.length > 1) {
      bytes -= items.pop()!.bytes
      cut = true
    }
    return !cut
  }

  return {
    async addOlder(found) {
      items = [...(await read(found)), ...items]
      trim()
    },
    async addNewer(found) {
      items.push(...(await read(found)))
      return trim()
    },
    get size() {
      return ids.size
    },
    fetched: (whole, unreadable = []) => ({ kind: 'fetched', items, ids, whole: whole && !cut, unreadable }),
  }
}
