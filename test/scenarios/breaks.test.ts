import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { connectRawComponent } from '../servers/raw-component.ts'
import { redisHasWaitAof } from '../servers/redis.ts'
import {
  acceptedId,
  attribute,
  type Installation,
  install,
  launchWaybill,
  order,
  rejectedAs,
  waybill,
} from './waybill.ts'

/** Distinct documents, sent as fast as they are answered; gives the ids that were acknowledged, which `ids` holds already meanwhile. */
async function load(
  at: Installation,
  count: number,
  name: string,
  options = {},
  ids: string[] = [],
): Promise<string[]> {
  const answers = Array.from({ length: count }, async (_, n) => {
    const answer = await at.submit(order(`${name}-${n}`, options), {
      from: `s${n % 10}@peer.example.test/x`,
      id: `${name}-${n}`,
      // What a killed process has not answered is not answered at all.
      timeoutMs: 15_000,
    })
    if (attribute(answer, 'type') === 'result') ids.push(acceptedId(answer))
  })
  await Promise.allSettled(answers)
  return ids
}

/** How often each delivery id arrived at other.example.test. */
function arrivals(at: Installation): Map<string, number> {
  const counts = new Map<string, number>()
  for (const stanza of at.other.received) {
    const id = stanza.startsWith('<message') ? attribute(stanza, 'id') : undefined
    if (id) counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return counts
}

describe.each(['prosody', 'ejabberd'] as const)('when something breaks, on %s', (kind) => {
  let at: Installation
  beforeAll(async () => {
    at = await install({ kind, redisConfig: { appendfsync: 'always' } })
  })
  afterAll(() => at?.stop())

  it('a Waybill that is killed delivers after its restart what it had acknowledged', async () => {
    const acknowledged: string[] = []
    const loading = load(at, 300, 'kill', {}, acknowledged)
    await eventually(() => at.other.received.length > 20 && acknowledged.length > 20)
    at.waybill.signal('SIGKILL')
    await at.waybill.ended
    await at.restart()
    const ids = await loading
    expect(ids.length).toBeGreaterThan(20)
    await eventually(() => ids.every((id) => arrivals(at).has(`${id}.0`)), {
      timeoutMs: 60_000,
      what: 'all acknowledged documents to arrive',
    })
    await eventually(async () => {
      const ledger = await at.ledger()
      return ledger.balanced && ledger.documents.waiting === 0
    })
  })

  it('a restart of the XMPP server loses nothing, and burns no attempt', async () => {
    // To a node of the server itself: it is there again as soon as the server is.
    const ids = await load(at, 50, 'before', { currency: 'EUR', total: '2000' })
    await at.server.kill('SIGKILL')
    await eventually(async () => (await fetch(`${at.waybill.ready.http}/readyz`)).status === 503, { what: 'not ready' })
    await at.server.start()
    at.peer = await connectRawComponent(at.server.component('peer'))
    at.other = await connectRawComponent(at.server.component('other'))
    await eventually(async () => (await fetch(`${at.waybill.ready.http}/readyz`)).status === 200, {
      timeoutMs: 30_000,
      what: 'ready again',
    })
    expect(at.waybill.running).toBe(true)
    const after = await load(at, 50, 'after')
    expect(after).toHaveLength(50)
    await eventually(async () => {
      const ledger = await at.ledger()
      return ledger.balanced && ledger.documents.waiting === 0 && ledger.documents.dead === 0
    })
    for (const id of ids.slice(-5)) {
      const toNode = (await at.trace(id)).deliveries.find(({ destination }) => destination.startsWith('xmpp:'))
      expect(toNode?.attempts.filter((attempt) => attempt.result !== 'void').map(({ result }) => result)).toEqual([
        'result',
      ])
    }
  })

  it('while Redis is away a sender hears wait; then the same stanza is accepted, once', async () => {
    await at.redis.kill('SIGKILL')
    const answer = await at.submit(order('away'), { id: 'away' })
    expect(attribute(answer, 'type')).toBe('error')
    expect(answer).toMatch(/<error\b[^>]*type=(["'])wait\1/)
    expect(rejectedAs(answer)).toBe('unavailable')
    await at.redis.start()
    const id = await eventually(async () => acceptedId(await at.submit(order('away'), { id: 'away' })), {
      timeoutMs: 60_000,
    })
    await eventually(() => arrivals(at).get(`${id}.0`) === 1)
    expect(at.waybill.running).toBe(true)
    await at.leaseRenewed()
  })

  it('while Redis is frozen a sender hears wait; afterwards nothing is half-accepted', async () => {
    at.redis.signal('SIGSTOP')
    const answer = await at.submit(order('frozen'), { id: 'frozen' })
    expect(rejectedAs(answer)).toBe('unavailable')
    at.redis.signal('SIGCONT')
    const id = await eventually(async () => acceptedId(await at.submit(order('frozen'), { id: 'frozen' })), {
      timeoutMs: 60_000,
    })
    await eventually(() => arrivals(at).get(`${id}.0`) !== undefined)
    const numbers = at.other.received.filter((stanza) => stanza.includes('<number>frozen</number>'))
    expect(new Set(numbers.map((stanza) => attribute(stanza, 'id'))).size).toBe(1)
    expect((await at.ledger()).balanced).toBe(true)
  })

  it('SIGTERM ends it within ten seconds, with everything it acknowledged delivered or kept', async () => {
    const ids = await load(at, 200, 'term')
    const before = performance.now()
    at.waybill.signal('SIGTERM')
    expect(await at.waybill.ended).toBe(0)
    expect(performance.now() - before).toBeLessThan(10_000)
    const ledger = await at.ledger()
    expect(ledger.balanced).toBe(true)
    await at.restart()
    await eventually(() => ids.every((id) => arrivals(at).has(`${id}.0`)))
  })

  it('a reload with errors is refused whole, and the old set stays', async () => {
    const { writeFileSync, readFileSync } = await import('node:fs')
    const file = `${at.folder}/routes/routes.yaml`
    const good = readFileSync(file, 'utf8')
    writeFileSync(file, good.replace('owner: tests', 'ownr: tests'))
    at.waybill.signal('SIGHUP')
    await eventually(() => at.waybill.log().includes('reload-refused'))
    acceptedId(await at.submit(order('still')))
    writeFileSync(file, good.replace('{ jid: other.example.test }', '{ jid: moved@other.example.test }'))
    at.waybill.signal('SIGHUP')
    await eventually(() => at.waybill.log().includes('"reloaded"'))
    const id = acceptedId(await at.submit(order('moved')))
    await at.other.next((stanza) => stanza.includes(id) && attribute(stanza, 'to') === 'moved@other.example.test')
    writeFileSync(file, good)
    at.waybill.signal('SIGHUP')
  })
})

describe('a start that cannot succeed', () => {
  let at: Installation
  beforeAll(async () => {
    at = await install({ kind: 'prosody' })
  })
  afterAll(() => at?.stop())

  it('ends with one clear sentence and code 3 where the secret is wrong', async () => {
    at.waybill.signal('SIGTERM')
    await at.waybill.ended
    const { code, stderr } = await waybill(['run', at.folder], { WAYBILL_XMPP_SECRET: 'wrong' })
    expect(code).toBe(3)
    expect(stderr).toMatch(
      /Cannot attach to xmpp:\/\/127\.0\.0\.1:\d+ as waybill\.example\.test: .*not-authorized.*secret/,
    )
    expect(stderr).not.toContain(at.server.component('waybill').secret)
    await at.restart()
  })

  it('where another one holds the domain it is no failure: the second one stands by, and ends with code 0', async () => {
    const second = launchWaybill(at.folder)
    await eventually(() => second.log().includes('"standby"'))
    expect(at.waybill.running, 'the first one lives').toBe(true)
    acceptedId(await at.submit(order('still here')))
    second.signal('SIGTERM')
    expect(await second.ended).toBe(0)
    acceptedId(await at.submit(order('here as before')))
  })

  // From Redis 7.2 on a file that is synced every second is waited for.
  it.skipIf(redisHasWaitAof()).each([['fsync', /Cannot promise redis\.durability fsync: .*appendfsync/]])(
    'ends with code 3 where Redis offers less than %s',
    async (durability, sentence) => {
      const { readFileSync, writeFileSync } = await import('node:fs')
      const file = `${at.folder}/waybill.yaml`
      const good = readFileSync(file, 'utf8')
      writeFileSync(file, good.replace('durability: everysec', `durability: ${durability}`))
      const { code, stderr } = await waybill(['run', at.folder])
      writeFileSync(file, good)
      expect(code).toBe(3)
      expect(stderr).toMatch(sentence)
    },
  )

  it('ends with code 3 where Redis is not there, and with 1 where the configuration has errors', async () => {
    const away = await waybill(['run', at.folder], { WAYBILL_REDIS_URL: 'redis://127.0.0.1:1' })
    expect(away.code).toBe(3)
    expect(away.stderr).toMatch(/Redis/)
    const empty = await waybill(['run', `${at.folder}/types`])
    expect(empty.code).toBe(1)
    expect(empty.stderr).toContain('waybill.yaml')
  })
})
