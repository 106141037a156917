import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { examineRedis } from '../src/commands/examine-redis.ts'
import { loadSettings, type Settings } from '../src/config/configuration.ts'
import { leftDomains, tellLeftDomains } from '../src/left-domains.ts'
import { keyPrefix, shardOf } from '../src/redis/keys.ts'
import { withFolder } from './config/folder.ts'
import {
  acceptance,
  accepted,
  closeStores,
  freshPrefix,
  keepLog,
  type LogLine,
  openTestStore,
  plan,
} from './redis/fixtures.ts'
import { type RunningRedis, startRedis } from './servers/redis.ts'

let redis: RunningRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterEach(closeStores)
afterAll(() => redis?.stop())

/** Settings with the domains of a list, the first one first. */
function settingsWith(prefix: string, [domain, ...domains]: readonly string[]): Promise<Settings> {
  const waybill = {
    xmpp: { domain, domains, host: 'example.org', secret: 's3cr3t-0' },
    redis: { url: redis.url, prefix },
    senders: ['*@example.org'],
  }
  return withFolder({ 'waybill.yaml': JSON.stringify(waybill) }, async (folder) => (await loadSettings(folder, {}))!)
}

/** An installation that has served w2 and w3: w2 with a document that waits, one that is held and one that is dead. */
async function serveThree() {
  const prefix = freshPrefix()
  const first = await openTestStore(redis.url, { prefix })
  await first.served.remember(['w2.example.org', 'w3.example.org'])
  const second = await openTestStore(redis.url, { prefix, shard: shardOf('w2.example.org') })
  await accepted(second, { deliveries: [plan()] })
  await accepted(second, { type: 'stray', deliveries: [] })
  await second.accept([acceptance({ deliveries: [], holding: { findings: [], total: 0 } })])
  await openTestStore(redis.url, { prefix, shard: shardOf('w3.example.org') })
  return { prefix, served: first.served }
}

const warnings = (lines: readonly LogLine[]) => lines.filter(({ level }) => level === 'warn')

const LEFT = { domain: 'w2.example.org', waiting: 1, held: 1, dead: 1 }

describe('what a domain that is served no more has left', () => {
  it.each([
    { domains: ['w1.example.org', 'w2.example.org', 'w3.example.org'], left: [] },
    { domains: ['w1.example.org', 'w3.example.org'], left: [LEFT] },
    { domains: ['w1.example.org'], left: [LEFT] },
    // The first domain has a shard of its own.
    { domains: ['w2.example.org', 'w3.example.org'], left: [LEFT] },
  ])('is $left where $domains are served', async ({ domains, left }) => {
    const { prefix, served } = await serveThree()
    const { log, lines } = keepLog()
    const settings = await settingsWith(prefix, domains)
    expect(await leftDomains(settings, served, log)).toEqual(left)
    await tellLeftDomains(settings, served, log)
    expect(warnings(lines)).toEqual(left.map((details) => ({ level: 'warn', event: 'domain-left', details })))
    const rows = (await examineRedis(settings)).filter(({ part }) => part.startsWith('domain '))
    expect(rows).toEqual(
      left.map(({ domain }) => ({
        part: `domain ${domain}`,
        verdict: 'limited',
        detail:
          'not in xmpp.domains any more, but has documents: 1 waiting, 1 held, 1 dead; put it back until they have ended',
      })),
    )
  })

  it('keeps nobody from starting where it cannot be read', async () => {
    const { prefix, served } = await serveThree()
    const client = new Redis(redis.url)
    const key = `${keyPrefix(prefix, shardOf('w2.example.org'))}version`
    await client.set(key, '2')
    await client.quit()
    const { log, lines } = keepLog()
    await tellLeftDomains(await settingsWith(prefix, ['w1.example.org']), served, log)
    const details = { reason: expect.stringContaining(`${key} is 2`) }
    expect(warnings(lines)).toEqual([{ level: 'warn', event: 'left-domains-not-read', details }])
  })
})
