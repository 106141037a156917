import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CheckAnswer, CheckTask, NotChecked } from '../../src/flow/ports.ts'
import { type Checks, openChecks } from '../../src/redis/checks.ts'
import { eventually } from '../eventually.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { freshPrefix, keepLog, type LogLine } from './fixtures.ts'

let redis: RunningRedis
let client: Redis
beforeAll(async () => {
  redis = await startRedis()
  client = new Redis(redis.url)
  client.on('error', () => {})
})
afterAll(async () => {
  await Promise.all(open.map(({ checks }) => checks.close()))
  client?.disconnect()
  await redis?.stop()
})

interface Process {
  readonly checks: Checks
  readonly served: { readonly task: CheckTask; readonly set: string; readonly from: string }[]
  readonly lines: LogLine[]
  /** How often it was told that somebody may have room. */
  told: number
  free: number
  set: string
  serve: (task: CheckTask) => Promise<CheckAnswer | NotChecked>
}

const open: Process[] = []

const found: CheckAnswer = { kind: 'failed', reason: 'as it was told' }

function start(prefix: string, instance: string, { free = 1, set = 'now' } = {}): Process {
  const { log, lines } = keepLog()
  const served: Process['served'] = []
  const process: Process = {
    checks: openChecks({
      url: redis.url,
      prefix,
      instance,
      log,
      offer: () => ({ set: process.set, free: process.free }),
      serve: (task, by, from) => {
        served.push({ task, set: by, from })
        return process.serve(task)
      },
    }),
    served,
    lines,
    told: 0,
    free,
    set,
    serve: async () => found,
  }
  process.checks.onRoom(() => {
    process.told += 1
  })
  open.push(process)
  return process
}

const never = () => new Promise<never>(() => {})
const taskOf = (payload: string | Uint8Array): CheckTask => {
  const form = typeof payload === 'string' ? 'element' : 'sealed'
  const bytes = Buffer.byteLength(payload)
  return { type: 'order', content: 'xml', form, mediaType: 'application/xml', datatype: '', payload, bytes }
}
const task = taskOf('<order/>')

/** Until somebody takes it. */
async function given(process: Process, one = task, set = 'now'): Promise<CheckAnswer | NotChecked> {
  let answer: Promise<CheckAnswer | NotChecked> | undefined
  await eventually(() => {
    answer ??= process.checks.check(one, set)
    return answer !== undefined
  })
  return answer!
}

// They tell what they offer once a second: each test waits for that.
describe.concurrent('processes that check for one another', () => {
  it.each([
    ['text', '<order>grüße\n\n</order>'],
    ['bytes', Uint8Array.from([10, 0, 255, 10])],
  ])('are given %s as it is, by which set it is to be checked and for whom, and answer', async (_, payload) => {
    const prefix = freshPrefix()
    const [one, other] = [start(prefix, 'one'), start(prefix, 'other')]
    const asked = taskOf(payload)
    expect(await given(one, asked)).toEqual(found)
    const [{ task: heard, ...how }] = other.served as [Process['served'][number]]
    expect(how).toEqual({ set: 'now', from: 'one' })
    expect(typeof heard.payload).toBe(typeof payload)
    expect({ ...heard, payload: Buffer.from(heard.payload) }).toEqual({ ...asked, payload: Buffer.from(payload) })
    expect(one.served).toEqual([])
  })

  it('have many answered each with its own, whoever is ready first', async () => {
    const prefix = freshPrefix()
    const [one, other] = [start(prefix, 'one', { free: 0 }), start(prefix, 'other', { free: 100 })]
    let release = () => {}
    const first = new Promise<void>((resolve) => {
      release = resolve
    })
    other.serve = async ({ payload }) => {
      if (payload === '0') await first
      if (payload === '99') release()
      return { kind: 'failed', reason: String(payload) }
    }
    await eventually(() => one.told > 0)
    const answers = Array.from({ length: 100 }, (_, at) => one.checks.check(taskOf(String(at)), 'now'))
    expect((await Promise.all(answers)).map((answer) => answer && 'reason' in answer && answer.reason)).toEqual(
      Array.from({ length: 100 }, (_, at) => String(at)),
    )
  })

  it('are given two for each thread, where most room is, and nobody is asked beyond that', async () => {
    const prefix = freshPrefix()
    const one = start(prefix, 'one', { free: 0 })
    const others = [start(prefix, 'small', { free: 1 }), start(prefix, 'large', { free: 3 })]
    const strange = start(prefix, 'strange', { free: 9, set: 'then' })
    for (const other of [...others, strange]) other.serve = never
    let [asked, lost] = [0, 0]
    await eventually(() => {
      const answer = one.checks.check(task, 'now')
      if (answer) asked += 1
      void answer?.then(() => {
        lost += 1
      })
      return asked === 8
    })
    expect(lost, 'all eight at once').toBe(0)
    expect(one.checks.check(task, 'now')).toBeUndefined()
    await eventually(() => others.every(({ served }, at) => served.length === [2, 6][at]))
    expect(strange.served).toEqual([])
    expect(one.checks.check(task, 'none of these')).toBeUndefined()
  })

  it('have room again when they have answered', async () => {
    const prefix = freshPrefix()
    const [one, other] = [start(prefix, 'one', { free: 0 }), start(prefix, 'other')]
    for (let time = 0; time < 5; time += 1) expect(await given(one)).toEqual(found)
    expect(other.served).toHaveLength(5)
  })

  it('lose what a process has that ends, and what was asked by one that ends', async () => {
    const prefix = freshPrefix()
    const [one, other] = [start(prefix, 'one'), start(prefix, 'other')]
    for (const process of [one, other]) process.serve = never
    const asked = given(one)
    await eventually(() => other.served.length === 1)
    const back = given(other)
    await eventually(() => one.served.length === 1)
    await other.checks.close()
    expect(await back).toEqual({ kind: 'lost', reason: 'this process ends' })
    expect(other.checks.check(task, 'now')).toBeUndefined()
    expect(await asked).toEqual({ kind: 'lost', reason: 'other is gone' })
    expect(one.checks.check(task, 'now')).toBeUndefined()
  })

  it('pass over what another version of Waybill has written, and leave nothing behind', async () => {
    const prefix = freshPrefix()
    const [one, other] = [start(prefix, 'one', { free: 0 }), start(prefix, 'other')]
    let answer = (_: CheckAnswer) => {}
    other.serve = () =>
      new Promise((resolve) => {
        answer = resolve
      })
    const asked = given(one)
    await eventually(() => other.served.length === 1)
    const key = (name: string) => `{${prefix}:0}:checks:${name}`
    const reply = (v: number) => JSON.stringify({ v, id: 1, answer: { kind: 'unreadable' } })
    await client.rpush(key('of:one'), reply(2))
    await client.rpush(
      key('for:other'),
      `${JSON.stringify({ v: 2, id: 9, from: 'one', set: 'now', isText: true })}\n<a/>`,
    )
    await eventually(async () => (await client.exists(key('of:one'), key('for:other'))) === 0)
    answer(found)
    expect(await asked).toEqual(found)
    expect(other.served).toHaveLength(1)
    await other.checks.close()
    const late = one.checks.check(task, 'now')
    await eventually(async () => (await client.pttl(key('for:other'))) > 0)
    expect(await late).toMatchObject({ kind: 'lost' })
  })
})

describe('processes that have checked for one another', () => {
  it('go on when their connections were lost, and end while Redis is away', async () => {
    const prefix = freshPrefix()
    const [one, other] = [start(prefix, 'one', { free: 0 }), start(prefix, 'other')]
    expect(await given(one)).toEqual(found)
    await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await eventually(async () => (await given(one)).kind === 'failed')
    await eventually(() => other.lines.some(({ event }) => event === 'checks-not-heard'))
    await redis.kill('SIGKILL')
    await eventually(() => one.checks.check(task, 'now') === undefined)
    await Promise.all([one, other].map(({ checks }) => checks.close()))
    await redis.start()
  })
})
