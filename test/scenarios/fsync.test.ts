import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { redisHasWaitAof } from '../servers/redis.ts'
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

/** With Redis as it may be for `fsync`, traced together with Waybill. Gives nothing where the machine doesn't allow that. */
async function installTraced(
  appendfsync: 'always' | 'everysec',
): Promise<{ at: Installation; calls: SystemCalls } | { reason: string }> {
  at = await install({ kind: 'prosody', durability: 'fsync', redisConfig: { appendfsync } })
  try {
    calls = await traceSystemCalls([at.redis.pid, at.waybill.pid])
    return { at, calls }
  } catch (error) {
    if (!(error instanceof NotTraceable)) throw error
    return { reason: `Cannot look at system calls here: ${error.message}` }
  }
}

/** Some one after the other, so that each has a sync of its own, and many at once, which share theirs. */
async function submitOrders(to: Installation, alone = 10): Promise<readonly string[]> {
  const answers: string[] = []
  for (let number = 0; number < alone; number++) answers.push(await to.submit(order(`one-${number}`)))
  const together = Array.from({ length: 40 }, (_, number) => to.submit(order(`many-${number}`)))
  return [...answers, ...(await Promise.all(together))].map(acceptedId)
}

type Told = 'after the sync' | 'before the sync' | 'not seen'

/** When the acknowledgement left Waybill, by the order of the calls. */
function toldWhen(id: string, lines: readonly string[]): Told {
  const written = lines.findIndex((line) => line.includes('.aof>') && line.includes(`envelope:${id}`))
  const told = lines.findIndex((line) => line.includes('<accepted') && line.includes(id) && line.includes('socket:'))
  if (written < 0 || told < 0) return 'not seen'
  const synced = syncedBy(written, lines)
  return synced >= 0 && synced < told ? 'after the sync' : 'before the sync'
}

/**
 * Where the first sync of the append-only file ends that began behind that line; -1 where none does. It is made by the thread that writes, or by
 * another one of Redis's. A call during which another thread called something has two lines.
 */
function syncedBy(written: number, lines: readonly string[]): number {
  for (let at = written + 1; at < lines.length; at++) {
    const [, thread, rest] = /^(\S+) .*?(?:fdatasync|fsync)\(\d+<[^>]*\.aof>(.*)$/.exec(lines[at]!) ?? []
    if (thread === undefined) continue
    if (/= 0/.test(rest!)) return at
    if (!rest!.includes('<unfinished')) continue
    const resumed = new RegExp(`^${thread} .*<\\.\\.\\. (fdatasync|fsync) resumed>\\)\\s+= 0`)
    return lines.findIndex((line, index) => index > at && resumed.test(line))
  }
  return -1
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
    const traced = await installTraced('always')
    if ('reason' in traced) return skip(traced.reason)
    const told = await seen(await submitOrders(traced.at), traced.calls)
    expect(told).toHaveLength(50)
    expect(new Set(told)).toEqual(new Set(['after the sync']))
  })

  it.runIf(redisHasWaitAof())('nor where Redis syncs every second, and is waited for', async ({ skip }) => {
    const traced = await installTraced('everysec')
    if ('reason' in traced) return skip(traced.reason)
    const told = await seen(await submitOrders(traced.at, 3), traced.calls)
    expect(told).toHaveLength(43)
    expect(new Set(told)).toEqual(new Set(['after the sync']))
  })

  it('it would be seen if one did: where Redis syncs no more, they all leave before', async ({ skip }) => {
    const traced = await installTraced('always')
    if ('reason' in traced) return skip(traced.reason)
    const client = new Redis(traced.at.redis.url)
    await client.config('SET', 'appendfsync', 'no')
    client.disconnect()
    const told = await seen(await submitOrders(traced.at), traced.calls)
    expect(new Set(told)).toEqual(new Set(['before the sync']))
  })
})
