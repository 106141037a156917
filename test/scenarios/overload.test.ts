import { readFileSync, writeFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { connectRawComponent } from '../servers/raw-component.ts'
import { type SmallDisk, smallDisk } from './small-disk.ts'
import {
  acceptedId,
  attribute,
  command,
  type Installation,
  type InstallOptions,
  install,
  order,
  rejectedAs,
} from './waybill.ts'

const PATIENCE_MS = 180_000

let at: Installation
let disk: SmallDisk | undefined
let client: Redis | undefined

afterEach(async () => {
  client?.disconnect()
  client = undefined
  await at?.stop()
  disk?.remove()
  disk = undefined
})

/** What goes to other.example.test is tried again soon and for long. */
async function installPatient(options: Partial<InstallOptions>): Promise<void> {
  at = await install({ kind: 'prosody', ...options })
  const file = `${at.folder}/routes/routes.yaml`
  const steady = '---\nkind: Policy\nname: steady\ndeliveries: 1000\nbackoff: { first: 300ms, factor: 1, max: 300ms }\n'
  const routes = readFileSync(file, 'utf8')
  writeFileSync(
    file,
    routes.replace('{ jid: other.example.test }', '{ jid: other.example.test, retry: steady }') + steady,
  )
  at.waybill.signal('SIGHUP')
  await eventually(() => at.waybill.log().includes('"reloaded"'))
}

interface Sent {
  readonly accepted: Map<string, string>
  readonly refused: Map<string, string>
}

/** Sends numbered documents of about `bytes`, several at a time, until `enough` are refused. */
async function sendUntil(name: string, bytes: number, enough: (sent: Sent) => boolean, most = 5_000): Promise<Sent> {
  const sent: Sent = { accepted: new Map(), refused: new Map() }
  let number = 0
  const one = async (): Promise<void> => {
    while (number < most && !enough(sent)) {
      const id = `${name}-${number++}`
      const answer = await submit(id, bytes)
      if (attribute(answer, 'type') === 'result') sent.accepted.set(id, acceptedId(answer))
      else sent.refused.set(id, answer)
    }
  }
  await Promise.all(Array.from({ length: 8 }, one))
  return sent
}

const submit = (id: string, bytes: number) =>
  at.submit(order(id, { note: 'x'.repeat(bytes) }), { id, from: `s${id.length}@peer.example.test/x` })

const arrived = () => new Set(at.other.received.map((stanza) => attribute(stanza, 'id')))

/** So much more than Redis uses now. */
async function limitMemory(redis: Redis, moreBytes: number): Promise<void> {
  const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))![1])
  await redis.config('SET', 'maxmemory', String(used + moreBytes))
}

async function reconnectOther(): Promise<void> {
  at.other = await connectRawComponent(at.server.component('other'))
}

async function allDelivered(ids: Iterable<string>): Promise<void> {
  await eventually(
    () => {
      const seen = arrived()
      return [...ids].every((id) => seen.has(`${id}.0`))
    },
    { timeoutMs: 60_000, what: 'all that was accepted to arrive' },
  )
  await eventually(
    async () => {
      const { balanced, documents } = await at.ledger()
      return balanced && documents.waiting === 0 && documents.dead === 0
    },
    { timeoutMs: 30_000, what: 'the ledger to be at rest' },
  )
}

const redisReady = async () => {
  const response = await fetch(`${at.waybill.ready.http}/readyz`)
  const { parts } = (await response.json()) as { parts: { part: string; ready: boolean; reason: string }[] }
  return { status: response.status, ...parts.find(({ part }) => part === 'redis')! }
}

describe('too many bytes that wait', () => {
  it('are said to the senders with wait and when to come back; what was accepted is delivered, what was not is taken later', {
    timeout: PATIENCE_MS,
  }, async () => {
    const limit = 100_000
    await installPatient({
      settings: { limits: { waitingBytes: limit, perSender: { perMinute: 100_000, waiting: 50_000 } } },
    })
    at.other.close()
    const { accepted, refused } = await sendUntil('b', 5_000, (sent) => sent.refused.size >= 10)
    expect(accepted.size).toBeGreaterThanOrEqual(limit / 6_000)
    for (const answer of refused.values()) {
      expect(rejectedAs(answer)).toBe('overloaded')
      expect(answer).toMatch(/<error\b[^>]*type=(["'])wait\1/)
      expect(answer).toContain('resource-constraint')
      expect(answer).toMatch(/retry-after=(["'])\d+\1/)
    }
    const { bytes, documents } = await at.ledger()
    expect(documents).toMatchObject({ accepted: accepted.size, waiting: accepted.size })
    expect(bytes.waiting).toBeGreaterThanOrEqual(limit)
    expect(bytes.waiting, 'one document beyond at most').toBeLessThan(limit + 6_000)
    await reconnectOther()
    await allDelivered(accepted.values())
    for (const id of refused.keys()) accepted.set(id, acceptedId(await submit(id, 5_000)))
    await allDelivered(accepted.values())
    expect((await at.ledger()).documents.accepted).toBe(accepted.size)
  })
})

describe('a Redis whose memory is full', () => {
  it('lets senders hear wait while deliveries go on, and the room that they make is used without anybody', {
    timeout: PATIENCE_MS,
  }, async () => {
    await installPatient({ settings: { bounceWindow: '1s', retention: { finished: '1s' } } })
    client = new Redis(at.redis.url)
    at.other.close()
    await sendUntil('warm', 100, (sent) => sent.accepted.size >= 20)
    await limitMemory(client, 4_000_000)
    const { accepted, refused } = await sendUntil('m', 20_000, (sent) => sent.refused.size >= 20)
    expect(accepted.size).toBeGreaterThan(20)
    for (const answer of refused.values()) {
      expect(['unavailable', 'overloaded']).toContain(rejectedAs(answer))
      expect(answer).toMatch(/<error\b[^>]*type=(["'])wait\1/)
    }
    // What comes and goes with connections must not make room.
    await limitMemory(client, -500_000)
    const ready = await eventually(async () => {
      const seen = await redisReady()
      return seen.ready ? undefined : seen
    })
    expect(ready).toMatchObject({ status: 503, reason: expect.stringMatching(/^Cannot write: OOM/) })
    const { stdout, code } = await command(['doctor', at.folder])
    expect(stdout).toMatch(/writes +wrong +Cannot write: OOM/)
    expect(code).toBe(3)
    expect(at.waybill.running).toBe(true)

    await reconnectOther()
    await allDelivered(accepted.values())
    await eventually(async () => (await redisReady()).ready, { timeoutMs: 60_000, what: 'room again' })
    for (const id of refused.keys()) {
      accepted.set(id, await eventually(async () => acceptedId(await submit(id, 20_000)), { timeoutMs: 30_000 }))
    }
    await allDelivered(accepted.values())
  })
})

describe('a Redis whose disk is full', () => {
  it('lets senders hear wait, and goes on by itself when there is room; nothing that was accepted is lost by a kill then', {
    timeout: PATIENCE_MS,
  }, async () => {
    disk = smallDisk()
    await installPatient({ redisConfig: disk.redisConfig })
    const before = await sendUntil('before', 1_000, (sent) => sent.accepted.size >= 20)
    await disk.fill(at.redis.url)
    const during = await sendUntil('during', 1_000, (sent) => sent.refused.size >= 5)
    for (const answer of during.refused.values()) {
      expect(rejectedAs(answer)).toBe('unavailable')
      expect(answer).toMatch(/<error\b[^>]*type=(["'])wait\1/)
    }
    expect(await redisReady()).toMatchObject({ status: 503, reason: expect.stringMatching(/MISCONF/) })
    expect(at.waybill.running).toBe(true)
    await disk.free(at.redis.url)
    await eventually(async () => (await redisReady()).ready, { timeoutMs: 30_000, what: 'Redis to write again' })
    const after = await sendUntil('after', 1_000, (sent) => sent.accepted.size >= 20)
    const sent = [before, during, after]
    const ids = sent.flatMap(({ accepted }) => [...accepted.values()])
    await at.redis.kill('SIGKILL')
    await at.redis.start()
    await allDelivered(ids)
    // A sender that heard nothing good sends again, under the same id: each document is there once.
    const again = sent.flatMap(({ refused }) => [...refused.keys()])
    for (const id of again) acceptedId(await submit(id, 1_000))
    expect((await at.ledger()).documents.accepted).toBe(ids.length + again.length)
  })
})
