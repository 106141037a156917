import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { NotTraceable, type SystemCalls, traceSystemCalls } from '../servers/system-calls.ts'
import { acceptedId, type Installation, install, order } from './waybill.ts'

let at: Installation | undefined
let calls: SystemCalls | undefined

afterEach(async () => {
  await calls?.stop()
  await at?.stop()
  at = undefined
  calls = undefined
})

/** With Redis as it must be for `fsync`, traced together with Waybill. Gives nothing where the machine doesn't allow that. */
async function installTraced(): Promise<{ at: Installation; calls: SystemCalls } | { reason: string }> {
  at = await install({ kind: 'prosody', durability: 'fsync', redisConfig: { appendfsync: 'always' } })
  try {
    calls = await traceSystemCalls([at.redis.pid, at.waybill.pid])
    return { at, calls }
  } catch (error) {
    if (!(error instanceof NotTraceable)) throw error
    return { reason: `Cannot look at system calls here: ${error.message}` }
  }
}

/** Some one after the other, so that each has a sync of its own, and many at once, which share theirs. */
async function submitOrders(to: Installation): Promise<readonly string[]> {
  const answers: string[] = []
  for (let number = 0; number < 10; number++) answers.push(await to.submit(order(`one-${number}`)))
  const together = Array.from({ length: 40 }, (_, number) => to.submit(order(`many-${number}`)))
  return [...answers, ...(await Promise.all(together))].map(acceptedId)
}

type Told = 'after the sync' | 'before the sync' | 'not seen'

/** When the acknowledgement left Waybill, by the order of the calls. */
function toldWhen(id: string, lines: readonly string[]): Told {
  const written = lines.findIndex((line) => line.includes('.aof>') && line.includes(`envelope:${id}`))
  const told = lines.findIndex((line) => line.includes('<accepted') && line.includes(id) && line.includes('socket:'))
  if (written < 0 || told < 0) return 'not seen'
  const thread = lines[written]!.split(' ')[0]!
  const synced = lines.findIndex((line, index) => index > written && isSynced(line, thread))
  return synced >= 0 && synced < told ? 'after the sync' : 'before the sync'
}

/** A sync of the append-only file by Redis's own thread, at its end. */
function isSynced(line: string, thread: string): boolean {
  if (!line.startsWith(`${thread} `)) return false
  return /fdatasync\(\d+<[^>]*\.aof>\)\s+= 0/.test(line) || /<\.\.\. (fdatasync|fsync) resumed>\)\s+= 0/.test(line)
}

async function seen(ids: readonly string[], { lines }: SystemCalls): Promise<readonly Told[]> {
  const look = () => ids.map((id) => toldWhen(id, lines()))
  const all = () => {
    const told = look()
    return told.includes('not seen') ? undefined : told
  }
  return eventually(all, { timeoutMs: 30_000, what: 'the writes of every envelope and acknowledgement' })
}

describe('at durability fsync, as the system calls of Redis and Waybill show', () => {
  it('no acknowledgement leaves before Redis has synced what it tells of', async ({ skip }) => {
    const traced = await installTraced()
    if ('reason' in traced) return skip(traced.reason)
    const told = await seen(await submitOrders(traced.at), traced.calls)
    expect(told).toHaveLength(50)
    expect(new Set(told)).toEqual(new Set(['after the sync']))
  })

  it('it would be seen if one did: where Redis syncs no more, they all leave before', async ({ skip }) => {
    const traced = await installTraced()
    if ('reason' in traced) return skip(traced.reason)
    const client = new Redis(traced.at.redis.url)
    await client.config('SET', 'appendfsync', 'no')
    client.disconnect()
    const told = await seen(await submitOrders(traced.at), traced.calls)
    expect(new Set(told)).toEqual(new Set(['before the sync']))
  })
})
