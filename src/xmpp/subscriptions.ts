import { destinationName } from '../domain/delivery.ts'
import { attributeOf, childElements, childNamed, type Element } from '../domain/element.ts'
import type { Answer } from '../domain/retry.ts'
import type { Alarm } from '../flow/alarms.ts'
import { type Log, type Metrics, StoreUnavailable } from '../flow/ports.ts'
import { ITEMS_REMEMBERED, type NodeItem, type Progress, type Sources } from '../flow/source.ts'
import type { Connection } from './connection.ts'
import { PUBSUB_EVENT } from './namespaces.ts'
import { type Fetched, fetchItems } from './node-items.ts'
import { hasPayload, itemsIn, type Subscription, subscribe } from './subscribe.ts'

export interface SubscriptionsNeeds {
  readonly connection: Pick<Connection, 'domain' | 'online' | 'request' | 'onStream'>
  readonly subscriptions: readonly Subscription[]
  readonly sources: Sources
  readonly metrics: Pick<Metrics, 'item'>
  readonly alarm: Alarm
  readonly log: Log
  /** 30 s by default. */
  readonly requestTimeoutMs?: number
  /** First pause before something is tried again; it doubles up to a minute. 1 s by default. */
  readonly firstPauseMs?: number
  /** How often nodes are subscribed to and read though nothing happened: not every service tells of a node that it deletes. 10 min by default. */
  readonly renewMs?: number
}

export interface SubscriptionState {
  /** As in {@link destinationName}. */
  readonly name: string
  /** The service has said that we are subscribed, and nothing else since. */
  readonly confirmed: boolean
  /** Why not; ''. */
  readonly reason: string
}

/** Nodes as a source of documents: docs/protocol.md 1.5. */
export interface Subscriptions {
  /** A message with an `<event/>`. Whoever it comes from, it is never answered. */
  hear(message: Element, from: string, to: string): void
  /** A message of which nothing could be read. False where it isn't from a service that we are subscribed to. */
  miss(from: string): boolean
  states(): readonly SubscriptionState[]
  /** Resolves when what is in hand was taken; the rest is read from the node by the next start. */
  stop(): Promise<void>
}

/**
 * What has to be done for a node, in this order. `gap`: the node holds items of which nothing may have been heard; reading
 * them turns it into items.
 */
type Work =
  | { readonly kind: 'subscribe' }
  | { readonly kind: 'gap' }
  | { readonly kind: 'item'; readonly item: NodeItem; readonly heard: boolean }

interface Follower {
  readonly subscription: Subscription
  readonly state: SubscriptionState
  hear(what: Element, message: Element, to: string): void
  miss(): void
  stop(): Promise<void>
}

/** Items that were heard and wait; of what comes beyond, the node is read later. */
const HEARD_MOST = 256
/** Items that are accepted in one step. */
const BATCH = 64
const FETCH_MOST = ITEMS_REMEMBERED / 2
const FETCH_BYTES = 32 << 20
const LONGEST_PAUSE_MS = 60_000
const RENEW_MS = 600_000
/** XEP-0060 6.5.9.2, 6.5.9.3: there is nothing that could be read; only what is heard can be taken. */
const NOTHING_KEPT: ReadonlySet<string> = new Set(['unsupported', 'feature-not-implemented'])

export function createSubscriptions(needs: SubscriptionsNeeds): Subscriptions {
  const followers = needs.subscriptions.map((subscription) => follow(subscription, needs))

  return {
    hear(message, from, to) {
      const event = childNamed(message, 'event', PUBSUB_EVENT)
      const what = event && childElements(event)[0]
      const node = what && attributeOf(what, 'node')
      const follower = followers.find((one) => one.subscription.service === from && one.subscription.node === node)
      if (follower && what) {
        follower.hear(what, message, to)
        return
      }
      needs.metrics.item('stranger')
      needs.log('debug', 'event-ignored', { from, node })
    },
    miss(from) {
      const concerned = followers.filter(({ subscription }) => subscription.service === from)
      for (const follower of concerned) follower.miss()
      return concerned.length > 0
    },
    states: () => followers.map(({ state }) => state),
    async stop() {
      await Promise.all(followers.map((follower) => follower.stop()))
    },
  }
}

/**
 * One node: with every stream it is subscribed to, then what it holds is read, then what was heard is taken, and nothing
 * overtakes what has to be tried again: that is how the order of the node is kept.
 */
function follow(subscription: Subscription, needs: SubscriptionsNeeds): Follower {
  const { connection, sources, metrics, log, requestTimeoutMs: timeoutMs = 30_000, firstPauseMs = 1_000 } = needs
  const { service, node } = subscription
  const name = destinationName({ kind: 'node', service, node })
  const sleep = createSleep()
  let queue: readonly Work[] = []
  let state: Omit<SubscriptionState, 'name'> = { confirmed: false, reason: 'not asked for yet' }
  let inHand: Work | undefined
  let failures = 0
  let stopped = false

  async function run(): Promise<void> {
    while (!stopped) {
      inHand = queue[0]
      const pauseMs = inHand ? await attempt(inHand) : undefined
      if (pauseMs === 0 && inHand?.kind !== 'subscribe') failures = 0
      inHand = undefined
      if (pauseMs !== 0 && !stopped) await sleep.begin(pauseMs)
    }
  }

  /** Gives 0 where it is done, or after how many milliseconds it is to be tried again. */
  async function attempt(work: Work): Promise<number> {
    try {
      switch (work.kind) {
        case 'subscribe':
          return await join()
        case 'gap':
          return await read()
        case 'item':
          return await take()
      }
    } catch (error) {
      const level = error instanceof StoreUnavailable ? 'warn' : 'error'
      log(level, 'source-waits', { source: name, reason: (error as Error).message })
      return nextPauseMs()
    }
  }

  function nextPauseMs(): number {
    failures += 1
    return Math.min(LONGEST_PAUSE_MS, firstPauseMs * 2 ** Math.min(failures - 1, 10))
  }

  async function join(): Promise<number> {
    const outcome = await subscribe(connection, subscription, timeoutMs)
    if (outcome.kind === 'lost') return nextPauseMs()
    if (outcome.kind === 'refused') {
      unconfirm(inWords(outcome.answer))
      return nextPauseMs()
    }
    if (!state.confirmed) log('info', 'subscribed', { source: name })
    state = { confirmed: true, reason: '' }
    queue = [{ kind: 'gap' }, ...queue.slice(1)]
    return 0
  }

  function unconfirm(reason: string): void {
    state = { confirmed: false, reason }
    log('warn', 'not-subscribed', { source: name, reason })
    needs.alarm(`subscription ${name}`, `not subscribed to ${name}: ${reason}`)
  }

  async function read(): Promise<number> {
    const fetched = await fetchItems({
      connection,
      address: subscription,
      timeoutMs,
      most: FETCH_MOST,
      mostBytes: FETCH_BYTES,
      itemsOf: (stanza, items) => itemsIn(stanza, items, subscription, connection.domain),
      untaken: (items) => sources.untaken(name, items),
    })
    if (fetched.kind === 'lost') return nextPauseMs()
    if (fetched.kind === 'refused') return unread(fetched.answer)
    for (const { id, why } of fetched.unreadable) {
      metrics.item('refused')
      log('warn', 'item-refused', { source: name, item: id, reason: why.kind })
      needs.alarm(`item-refused ${name} ${why.kind}`, `refused item ${id} of ${name}: ${why.text}`)
    }
    if (fetched.items.length > 0) log('info', 'items-fetched', { source: name, items: fetched.items.length })
    queue = weave(fetched, queue.slice(1))
    return 0
  }

  function unread(answer: Answer): number {
    const reason = inWords(answer)
    log('warn', 'items-unread', { source: name, reason })
    if (NOTHING_KEPT.has(answer.condition)) {
      queue = queue.slice(1)
      return 0
    }
    needs.alarm(`items-unread ${name}`, `cannot read the items of ${name}: ${reason}`)
    // The node may be another one by now, of which we are no subscriber.
    queue = [{ kind: 'subscribe' }, ...queue.slice(1)]
    return nextPauseMs()
  }

  async function take(): Promise<number> {
    const works = leadingItems(queue)
    const untaken = await sources.untaken(name, works)
    const { done, later } = await sources.take(name, untaken)
    const next = later ? works.indexOf(works.find(({ stanza }) => stanza === untaken[done]?.stanza)!) : works.length
    queue = queue.slice(next)
    return later ? wait(later) : 0
  }

  function wait({ reason, afterMs }: NonNullable<Progress['later']>): number {
    log('warn', 'source-waits', { source: name, reason })
    return Math.min(afterMs, nextPauseMs())
  }

  function add(work: Work): void {
    queue = [...queue, work]
    sleep.end(work.kind === 'subscribe')
  }

  /** One that waits already covers everything up to now. */
  function addSubscribe(): void {
    if (queue.some(({ kind }) => kind === 'subscribe')) sleep.end(true)
    else add({ kind: 'subscribe' })
  }

  function hear(what: Element, message: Element, to: string): void {
    if (what.name === 'items' && state.confirmed) hearItems(what, message, to)
    else hearOther(what)
  }

  function hearOther(what: Element): void {
    metrics.item('stranger')
    const subscribed = attributeOf(what, 'subscription')
    if (what.name === 'delete' && state.confirmed) {
      unconfirm('the node was deleted')
      addSubscribe()
    } else if (what.name === 'subscription' && state.confirmed && subscribed === 'none') {
      unconfirm('the service has ended the subscription')
      addSubscribe()
    } else if (what.name === 'subscription' && !state.confirmed && subscribed === 'subscribed') {
      // XEP-0060 8.6: the owner has approved of it. What counts is what the service answers when it is asked.
      addSubscribe()
    }
  }

  function hearItems(items: Element, message: Element, to: string): void {
    const heard = itemsIn(message, items, subscription, to)
    if (heard.length === 0) metrics.item('stranger')
    for (const item of heard) {
      const waiting = queue.reduce((count, work) => count + (work.kind === 'item' && work.heard ? 1 : 0), 0)
      if (waiting >= HEARD_MOST || !hasPayload(item)) miss()
      else add({ kind: 'item', item, heard: true })
    }
  }

  /** A reading that is under way may have come before what was missed. */
  function miss(): void {
    const last = queue.at(-1)
    if (state.confirmed && (last?.kind !== 'gap' || last === inHand)) add({ kind: 'gap' })
  }

  const unlisten = connection.onStream(({ kind }) => {
    if (kind === 'online') addSubscribe()
  })
  if (connection.online) addSubscribe()
  const renewal = setInterval(addSubscribe, needs.renewMs ?? RENEW_MS)
  const ended = run()

  return {
    subscription,
    get state() {
      return { name, ...state }
    },
    hear,
    miss,
    async stop() {
      unlisten()
      clearInterval(renewal)
      stopped = true
      sleep.end(true)
      await ended
    },
  }
}

/**
 * What was fetched goes before what was heard meanwhile. An item of the same id that was heard before the answer is the older
 * one of the two, and keeps its place right before it.
 */
function weave(
  { items, whole }: Pick<Extract<Fetched, { kind: 'fetched' }>, 'items' | 'whole'>,
  queue: readonly Work[],
): readonly Work[] {
  const ids = new Set(items.map(({ id }) => id))
  const isWoven = (work: Work) => work.kind === 'item' && ids.has(work.item.id)
  const heard = new Map<string, Work[]>()
  for (const work of queue) {
    if (work.kind === 'item' && isWoven(work)) heard.set(work.item.id, [...(heard.get(work.item.id) ?? []), work])
  }
  const woven = items.flatMap(({ id, stanza }): Work[] => [
    ...(heard.get(id) ?? []),
    { kind: 'item', item: { id, stanza }, heard: false },
  ])
  return [...woven, ...(whole ? [] : [{ kind: 'gap' } as const]), ...queue.filter((work) => !isWoven(work))]
}

function leadingItems(queue: readonly Work[]): readonly NodeItem[] {
  const items: NodeItem[] = []
  for (const work of queue) {
    if (work.kind !== 'item' || items.length === BATCH) break
    items.push(work.item)
  }
  return items
}

function inWords({ condition, text }: Answer): string {
  return text === '' ? condition : `${condition} (${text})`
}

/** A pause that ends by itself, or earlier: one without a length with any work, one before another try with urgent work only. */
function createSleep(): { begin(ms: number | undefined): Promise<void>; end(urgently: boolean): void } {
  let end: (urgently: boolean) => void = () => {}
  return {
    begin: (ms) =>
      new Promise((resolve) => {
        const timer = ms === undefined ? undefined : setTimeout(resolve, ms)
        end = (urgently) => {
          if (ms !== undefined && !urgently) return
          clearTimeout(timer)
          resolve()
        }
      }),
    end: (urgently) => end(urgently),
  }
}
