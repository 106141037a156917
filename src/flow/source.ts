import { type AttemptOutcome, destinationName } from '../domain/delivery.ts'
import type { Rejection } from '../domain/rejection.ts'
import { type AcceptNeeds, accept, type Matched } from './accept.ts'
import { goingBy, notAllowed } from './check.ts'
import { check, isRejection, loops, type Ruling } from './intake.ts'
import {
  type Checkpoints,
  type InboundStanza,
  type Metrics,
  type Outlet,
  type StartedAttempt,
  StoreUnavailable,
  type Submission,
} from './ports.ts'
import type { RateLimit } from './senders.ts'

/** One item of a subscribed node. */
export interface NodeItem {
  readonly id: string
  /** Of kind `event`, holding this item and no other. */
  readonly stanza: InboundStanza
}

/** An item that was looked into. */
export interface ReadItem extends NodeItem {
  readonly read: Submission | Rejection
  /** The document's; of an item that holds none, the reason for that. */
  readonly digest: string
  readonly bytes: number
}

/**
 * How many of the items, from the first on, are dealt with for good; `later` says why the next one is not, and when it is worth
 * another try.
 */
export interface Progress {
  readonly done: number
  readonly later?: { readonly reason: string; readonly afterMs: number }
}

/** Documents that come from nodes: nobody can be answered, so that the node itself is what is tried again from. */
export interface Sources {
  /** Those of the items that were not dealt with before, in their order. Throws {@link StoreUnavailable}. */
  untaken(source: string, items: readonly NodeItem[]): Promise<readonly ReadItem[]>
  /**
   * Takes items in their order. An acceptance and the mark that the item was taken are one write; what is refused for good is
   * marked as well, and told by log, metric and alarm. Throws {@link StoreUnavailable}.
   */
  take(source: string, items: readonly ReadItem[]): Promise<Progress>
}

export interface SourceNeeds extends AcceptNeeds {
  readonly ruling: () => Ruling
  readonly rate: RateLimit
  readonly metrics: Metrics
  readonly checkpoints: Checkpoints
}

/** How many items are remembered of each node: twice as many as are ever fetched, so that none that is fetched was forgotten. */
export const ITEMS_REMEMBERED = 2_000

interface Refused {
  readonly item: ReadItem
  /** Undefined: made here. */
  readonly rejection: Rejection | undefined
}

/** What is to become of the items, up to the first that has to wait. */
interface Sorted {
  readonly matched: readonly { readonly item: ReadItem; readonly matched: Matched }[]
  readonly refused: readonly Refused[]
  readonly later: { readonly item: ReadItem; readonly rejection: Rejection } | undefined
}

export function createSources(needs: SourceNeeds): Sources {
  const { checkpoints, metrics } = needs

  async function untaken(source: string, items: readonly NodeItem[]): Promise<readonly ReadItem[]> {
    const { documents } = needs.ruling()
    const read = items.map((item): ReadItem => {
      const extraction = documents.extract(item.stanza)
      if (extraction.kind === 'submissions') {
        const [only] = extraction.submissions as readonly [Submission]
        return { ...item, read: only, digest: only.document.digest, bytes: only.document.bytes }
      }
      const rejection = extraction.kind === 'rejected' ? extraction.rejection : notAllowed('The item is empty')
      return { ...item, read: rejection, digest: rejection.kind, bytes: 0 }
    })
    const standing = await checkpoints.standing(
      source,
      read.map(({ id, digest }) => ({ item: id, digest })),
    )
    const before = new Map<string, string>()
    return read.filter(({ id, digest }, at) => {
      // Of two with one id, the second counts by the first.
      let now = standing[at]
      if (now !== 'own' && before.has(id)) now = before.get(id) === digest ? 'taken' : 'new'
      before.set(id, digest)
      if (now === 'new') return true
      metrics.item(now === 'own' ? 'own' : 'known')
      return false
    })
  }

  async function take(source: string, items: readonly ReadItem[]): Promise<Progress> {
    const ruling = needs.ruling()
    let { matched, refused, later } = await goingBy(ruling, () => sort(source, items, ruling, needs))
    while (matched.length > 0) {
      const startedMs = performance.now()
      const result = await accept(
        matched.map((one) => one.matched),
        needs,
      )
      if (result.kind === 'accepted') {
        count(result.accepted, startedMs, metrics)
        break
      }
      const { rejection } = result
      // All or none was written: none. Those before the one in the way are tried without it.
      const at = matched.findIndex(({ item }) => item.id === result.item)
      if (isForNow(rejection)) {
        later = { item: matched[at]!.item, rejection }
        // While the store is away that is the first.
        matched = matched.slice(0, at)
      } else {
        refused = [...refused, { item: matched[at]!.item, rejection }]
        matched = matched.toSpliced(at, 1)
      }
    }
    const end = later ? items.indexOf(later.item) : items.length
    await passOver(
      source,
      refused.filter(({ item }) => items.indexOf(item) < end),
    )
    if (!later) return { done: items.length }
    const { text, retryAfterSeconds = 1 } = later.rejection
    return { done: end, later: { reason: text, afterMs: retryAfterSeconds * 1_000 } }
  }

  async function passOver(source: string, refused: readonly Refused[]): Promise<void> {
    if (refused.length === 0) return
    const marks = refused.map(({ item, rejection }) => ({ item: item.id, digest: rejection ? item.digest : 'own' }))
    await checkpoints.passOver(source, marks, ITEMS_REMEMBERED)
    for (const { item, rejection } of refused) {
      metrics.item(rejection ? 'refused' : 'own')
      if (rejection) complain(source, item, rejection, needs)
    }
  }

  return { untaken, take }
}

async function sort(source: string, items: readonly ReadItem[], ruling: Ruling, needs: SourceNeeds): Promise<Sorted> {
  const matched: { item: ReadItem; matched: Matched }[] = []
  const refused: Refused[] = []
  for (const item of items) {
    const { read } = item
    if (isRefusal(read)) {
      refused.push({ item, rejection: read })
      continue
    }
    if (await loops(read, needs)) {
      refused.push({ item, rejection: undefined })
      continue
    }
    const checked = admit(item.stanza.from, ruling, needs) ?? (await check(read, ruling, needs))
    if (!isRejection(checked)) {
      matched.push({ item, matched: { ...checked, taken: { source, item: item.id, keep: ITEMS_REMEMBERED } } })
    } else if (isForNow(checked)) {
      return { matched, refused, later: { item, rejection: checked } }
    } else {
      refused.push({ item, rejection: checked })
    }
  }
  return { matched, refused, later: undefined }
}

/** Who sends, and how much: as for every other document. */
function admit(from: string, { senders }: Ruling, { rate, now }: SourceNeeds): Rejection | undefined {
  return senders(from) ? rate.take(from, now()) : notAllowed(`${from} may not send documents here`)
}

/** What changes by waiting. */
function isForNow({ kind }: Rejection): boolean {
  return kind === 'overloaded' || kind === 'unavailable'
}

function isRefusal(read: Submission | Rejection): read is Rejection {
  return 'kind' in read
}

/** There is nobody to be answered; the item itself stays in its node. */
function complain(source: string, { id, stanza }: ReadItem, rejection: Rejection, needs: SourceNeeds): void {
  const { kind, text, findings } = rejection
  needs.metrics.rejected(kind)
  const found = findings.slice(0, 3).map(({ path, message }) => ({ path, message }))
  needs.log('warn', 'item-refused', { source, item: id, from: stanza.from, reason: kind, text, findings: found })
  needs.alarm(`item-refused ${source} ${kind}`, `refused item ${id} of ${source}: ${kind} (${text})`)
}

function count(
  accepted: readonly { readonly type: string; readonly duplicate: boolean }[],
  startedMs: number,
  metrics: Metrics,
): void {
  const seconds = (performance.now() - startedMs) / 1000
  for (const { type, duplicate } of accepted) {
    metrics.item(duplicate ? 'known' : 'taken')
    if (duplicate) metrics.duplicate(type)
    else metrics.accepted(type, 'event', seconds)
  }
}

/**
 * What we publish into a node that we are subscribed to is marked as our own before it is written, so that it never comes back
 * in, however much later the node is read.
 */
export function markOwn(
  outlet: Outlet,
  isSource: (name: string) => boolean,
  checkpoints: Pick<Checkpoints, 'passOver'>,
): Outlet {
  async function sendMarked(source: string, attempt: StartedAttempt, onHad?: () => void): Promise<AttemptOutcome> {
    try {
      await checkpoints.passOver(source, [{ item: attempt.envelopeId, digest: 'own' }], ITEMS_REMEMBERED)
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error
      return { kind: 'void', reason: error.message }
    }
    return outlet.send(attempt, onHad)
  }

  return {
    send(attempt, onHad) {
      const name = destinationName(attempt.destination)
      return isSource(name) ? sendMarked(name, attempt, onHad) : outlet.send(attempt, onHad)
    },
    notify: (jid, text) => outlet.notify(jid, text),
    get online() {
      return outlet.online
    },
  }
}
