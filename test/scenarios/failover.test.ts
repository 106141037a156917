import { afterEach, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { role, type SentinelSet, startSentinelSet } from '../servers/redis-sets.ts'
import { acceptedId, attribute, type Installation, install, order } from './waybill.ts'

let at: Installation | undefined
let set: SentinelSet | undefined

afterEach(async () => {
  await at?.stop()
  await set?.stop()
  at = undefined
  set = undefined
})

const SENDERS = 16

interface Traffic {
  /** Envelope ids that were acknowledged. */
  readonly acknowledged: ReadonlySet<string>
  stop(): Promise<void>
}

/** Each sender sends one after the other, and the same again, with the same id, until it is acknowledged. */
function startTraffic(installation: Installation): Traffic {
  const acknowledged = new Set<string>()
  let stopped = false
  async function send(sender: number): Promise<void> {
    for (let number = 0; !stopped; number++) {
      const id = `t${sender}-${number}`
      for (let done = false; !done && !stopped; ) {
        const answer = await installation
          .submit(order(id), { from: `s${sender}@peer.example.test/1`, id, timeoutMs: 8_000 })
          .catch(() => '')
        done = answer.includes('<accepted')
        if (done) acknowledged.add(acceptedId(answer))
      }
    }
  }
  const senders = Array.from({ length: SENDERS }, (_, sender) => send(sender))
  return {
    acknowledged,
    async stop() {
      stopped = true
      await Promise.all(senders)
    },
  }
}

/** Which of them is the primary is the sentinel's matter: on a busy machine it changes its mind once more. */
async function hasReplica({ servers, primary }: SentinelSet): Promise<boolean> {
  const chosen = await primary()
  const roles = await Promise.all(servers.map(async (server) => [server, (await role(server.port))[0]] as const))
  return roles.every(([server, is]) => is === (server === chosen ? 'master' : 'slave'))
}

/** The envelopes that the destination has heard of. */
function receivedBy({ other }: Installation): ReadonlySet<string> {
  const ids = other.received.map((stanza) => /<via\b[^>]*?\sid=(["'])([0-9a-f-]{36})\1/.exec(stanza)?.[2])
  return new Set(ids.filter((id) => id !== undefined))
}

it('a fail-over of the primary under load, at durability fsync with a replica, loses nothing that was acknowledged', async () => {
  set = await startSentinelSet({ appendfsync: 'always' })
  at = await install({ kind: 'prosody', durability: 'fsync', sentinels: set })
  const installation = at
  const traffic = startTraffic(installation)
  const [first, second] = set.servers
  const count = () => traffic.acknowledged.size
  await eventually(() => count() > 100, { what: 'documents before the fail-over' })
  await first.kill('SIGKILL')
  await eventually(async () => (await set!.primary()) === second, { timeoutMs: 60_000, what: 'the fail-over' })
  // Without a replica nothing more is acknowledged: the new primary has none until the old one is back as such.
  const during = count()
  await first.start()
  await eventually(() => hasReplica(set!), { timeoutMs: 120_000, what: 'the one to follow the other' })
  await eventually(() => count() > during + 100, { timeoutMs: 60_000, what: 'documents after the fail-over' })
  await traffic.stop()

  const acknowledged = [...traffic.acknowledged]
  const missing = () => {
    const received = receivedBy(installation)
    return acknowledged.filter((id) => !received.has(id))
  }
  await eventually(() => missing().length === 0, { timeoutMs: 60_000, what: 'every acknowledged document to arrive' })
  // That it has arrived is written down behind its arrival. Where the old primary took that with it, the document is sent once more when the
  // lease of the attempt has run out, two minutes, which is ended here.
  const waiting = async () => (await installation.ledger()).documents.waiting
  await eventually(async () => (await waiting()) === 0, { timeoutMs: 10_000 }).catch(installation.endAttempts)
  await eventually(async () => (await waiting()) === 0, { timeoutMs: 60_000, what: 'the end of every document' })
  for (const id of acknowledged) expect((await installation.trace(id)).state).toBe('delivered')
  const ready = await fetch(`${installation.waybill.ready.http}/readyz`)
  const { parts } = (await ready.json()) as { parts: unknown[] }
  expect(parts).toContainEqual({ part: 'durability', ready: true, reason: '' })
  expect(attribute(await installation.submit(order('last')), 'type')).toBe('result')
})
