import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { CheckAnswer, CheckTask, FarCheckers, Log, NotChecked } from '../flow/ports.ts'
import type { RedisAddress } from './address.ts'
import { connect, connectImpatient, describe, disconnect, tellOnce } from './connection.ts'
import { keyPrefix } from './keys.ts'
import { evaluate } from './scripts.ts'

export interface ChecksOptions extends RedisAddress {
  /** Unique for each process. */
  readonly instance: string
  /** By which set this process checks now, and for how many documents of others it has a thread. */
  readonly offer: () => { readonly set: string; readonly free: number }
  /** Checks for another process. Never throws. */
  readonly serve: (task: CheckTask, set: string, from: string) => Promise<CheckAnswer | NotChecked>
  readonly log: Log
}

/** Checks that processes do for one another, through lists in Redis. */
export interface Checks extends FarCheckers {
  close(): Promise<void>
}

type Answer = CheckAnswer | NotChecked

interface Peer {
  readonly set: string
  /** Documents that may be with it at once. */
  readonly room: number
}

interface Asked {
  readonly peer: string
  readonly timer: NodeJS.Timeout
  settle(answer: Answer): void
}

interface Request extends Omit<CheckTask, 'payload'> {
  readonly v: typeof VERSION
  readonly id: number
  readonly from: string
  readonly set: string
  readonly isText: boolean
}

interface Reply {
  readonly v: typeof VERSION
  readonly id: number
  readonly answer: Answer
}

const VERSION = 1
const OFFER_EVERY_MS = 1_000
/** A process that has offered nothing for so long is taken for gone. */
const OFFER_LASTS_MS = 4_000
/** What nobody has fetched by then is forgotten: whoever asked has given up before. */
const KEPT_MS = 30_000
const ANSWER_MS = 15_000
/** One waits there while another is checked, so that no thread waits for Redis. */
const ROOM_PER_THREAD = 2
const FETCHED_AT_ONCE = 64
const BLOCK_SECONDS = 1
const BLOCKED_SILENCE_MS = 5_000
const AGAIN_MS = 500

/**
 * Nothing of it is durable, and nothing has to be: a document that is checked by another process is not accepted yet, and who asked has
 * it still. Redis is trusted: whoever may write there may answer.
 */
export function openChecks({ instance, offer, serve, log, ...address }: ChecksOptions): Checks {
  const prefix = keyPrefix(address.prefix, address.shard)
  const requestsOf = (process: string) => `${prefix}checks:for:${process}`
  const repliesOf = (process: string) => `${prefix}checks:of:${process}`
  const client = connectImpatient(address, 'checks', log)
  const listener = connect(address, 'checks-listener', log, {
    enableOfflineQueue: true,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    socketTimeout: BLOCKED_SILENCE_MS,
  })
  const push = createPusher(client)
  const errors = tellOnce(log, 'checks-not-heard')
  const asked = new Map<number, Asked>()
  const listeners: (() => void)[] = []
  const stopped = new AbortController()
  let peers: ReadonlyMap<string, Peer> = new Map()
  let lastId = 0

  const withPeer = (name: string) => [...asked.values()].filter(({ peer }) => peer === name).length

  function roomiest(set: string): string | undefined {
    let best: string | undefined
    let most = 0
    for (const [name, peer] of peers) {
      const room = peer.set === set ? peer.room - withPeer(name) : 0
      if (room > most) [best, most] = [name, room]
    }
    return best
  }

  function end(id: number, answer: Answer): void {
    const one = asked.get(id)
    if (!one) return
    asked.delete(id)
    clearTimeout(one.timer)
    one.settle(answer)
  }

  function ask(peer: string, task: CheckTask, set: string): Promise<Answer> {
    lastId += 1
    const id = lastId
    const { payload, ...head } = task
    const isText = typeof payload === 'string'
    const request: Request = { v: VERSION, id, from: instance, set, isText, ...head }
    return new Promise((settle) => {
      const late = () => end(id, { kind: 'lost', reason: `${peer} has not answered in ${ANSWER_MS / 1_000} seconds` })
      asked.set(id, { peer, settle, timer: setTimeout(late, ANSWER_MS) })
      push(requestsOf(peer), entryOf(request, payload)).catch((error: Error) => {
        end(id, { kind: 'lost', reason: error.message })
      })
    })
  }

  /** Tells what this process offers, and hears what the others do. */
  async function meet(): Promise<void> {
    if (client.status !== 'ready') return
    const args = [0, instance, JSON.stringify({ ...offer(), instance }), OFFER_LASTS_MS, 'checkers']
    const told = (await evaluate(client, 'figures', prefix, args)) as Buffer[]
    const offers = told.map((text) => JSON.parse(String(text)) as { instance: string; set: string; free: number })
    peers = new Map(offers.map(({ instance: name, set, free }) => [name, { set, room: free * ROOM_PER_THREAD }]))
    for (const [id, { peer }] of asked) if (!peers.has(peer)) end(id, { kind: 'lost', reason: `${peer} is gone` })
    if (peers.size > 0) for (const tell of listeners) tell()
  }

  async function fetch(): Promise<void> {
    const found = await listener.blpopBuffer(repliesOf(instance), requestsOf(instance), BLOCK_SECONDS)
    if (!found) return
    const [key, first] = found
    const more = (await listener.lpopBuffer(String(key), FETCHED_AT_ONCE)) ?? []
    for (const entry of [first, ...more]) {
      if (String(key) === repliesOf(instance)) hear(entry)
      else void answer(entry)
    }
    errors.forget()
  }

  function hear(entry: Buffer): void {
    const { v, id, answer: told } = JSON.parse(String(entry)) as Reply
    if (v === VERSION) end(id, told)
  }

  async function answer(entry: Buffer): Promise<void> {
    const { request, payload } = readEntry(entry)
    const { v, id, from, set, isText: _, ...head } = request
    if (v !== VERSION) return
    const reply: Reply = { v: VERSION, id, answer: await serve({ ...head, payload }, set, from) }
    // Who asked notices by itself that nothing comes.
    await push(repliesOf(from), Buffer.from(JSON.stringify(reply))).catch(() => {})
  }

  async function listen(): Promise<void> {
    while (!stopped.signal.aborted) {
      try {
        await fetch()
      } catch (error) {
        if (stopped.signal.aborted) return
        errors.tell(error instanceof Error ? error : new Error(describe(error)))
        await delay(AGAIN_MS, undefined, { signal: stopped.signal }).catch(() => {})
      }
    }
  }

  async function meetAgainAndAgain(): Promise<void> {
    while (!stopped.signal.aborted) {
      await meet().catch((error: Error) => errors.tell(error))
      await delay(OFFER_EVERY_MS, undefined, { signal: stopped.signal }).catch(() => {})
    }
  }

  const running = [listen(), meetAgainAndAgain()]
  return {
    check(task, set) {
      const peer = stopped.signal.aborted || client.status !== 'ready' ? undefined : roomiest(set)
      return peer === undefined ? undefined : ask(peer, task, set)
    },
    onRoom: (tell) => void listeners.push(tell),
    async close() {
      stopped.abort()
      listener.disconnect()
      await Promise.all(running)
      for (const id of [...asked.keys()]) end(id, { kind: 'lost', reason: 'this process ends' })
      await disconnect(client)
    },
  }
}

/** What is pushed in one tick goes in one command for each list. */
function createPusher(client: Redis): (key: string, entry: Buffer) => Promise<void> {
  const gathered = new Map<string, Buffer[]>()
  const sent = new Map<string, Promise<void>>()

  async function send(key: string): Promise<void> {
    await Promise.resolve()
    const entries = gathered.get(key)!
    gathered.delete(key)
    sent.delete(key)
    const [[failed] = []] =
      (await client
        .multi()
        .rpush(key, ...entries)
        .pexpire(key, KEPT_MS)
        .exec()) ?? []
    if (failed) throw failed
  }

  return (key, entry) => {
    const entries = gathered.get(key)
    if (entries) entries.push(entry)
    else gathered.set(key, [entry])
    const sending = sent.get(key) ?? send(key)
    sent.set(key, sending)
    return sending
  }
}

const LINE_END = 10

/** The request as a line of JSON, then the payload as it is. */
function entryOf(request: Request, payload: string | Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(request)}\n`), Buffer.from(payload as Uint8Array)])
}

function readEntry(entry: Buffer): { readonly request: Request; readonly payload: string | Uint8Array } {
  const end = entry.indexOf(LINE_END)
  const request = JSON.parse(entry.toString('utf8', 0, end)) as Request
  const rest = entry.subarray(end + 1)
  return { request, payload: request.isText ? rest.toString('utf8') : rest }
}
