import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { acceptedId, command, type Installation, install, launchWaybill, order } from './waybill.ts'

let at: Installation | undefined
const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  await at?.stop()
  at = undefined
})

const DOMAINS = ['waybill.example.test', 'waybill2.example.test'] as const

interface Traffic {
  /** Envelope ids that were acknowledged, by domain. */
  readonly acknowledged: Readonly<Record<string, Set<string>>>
  stop(): Promise<void>
}

/** One sender for each domain, which sends again, with the same id, what was not acknowledged. */
function startTraffic(installation: Installation): Traffic {
  const acknowledged = Object.fromEntries(DOMAINS.map((domain) => [domain, new Set<string>()]))
  let stopped = false
  async function send(to: string): Promise<void> {
    for (let number = 0; !stopped; number++) {
      const id = `${to}-${number}`
      for (let done = false; !done && !stopped; ) {
        const answer = await installation.submit(order(id), { id, to, timeoutMs: 3_000 }).catch(() => '')
        done = answer.includes('<accepted')
        if (done) acknowledged[to]!.add(acceptedId(answer))
        else await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
  }
  const senders = DOMAINS.map(send)
  return {
    acknowledged,
    async stop() {
      stopped = true
      await Promise.all(senders)
    },
  }
}

/** Domains that a process serves, by what its metrics say. */
async function servedBy(http: string): Promise<readonly string[]> {
  const metrics = await (await fetch(`${http}/metrics`)).text()
  return [...metrics.matchAll(/^waybill_xmpp_online\{domain="([^"]+)"\} 1$/gm)].map(([, domain]) => domain!)
}

it('two domains are served by one process, shared with a second one that comes, and taken back when it dies', async () => {
  at = await install({ kind: 'prosody', further: ['waybill2'] })
  const installation = at
  const first = installation.waybill.ready.http
  await eventually(async () => (await servedBy(first)).length === 2, { what: 'both domains to be served' })
  const traffic = startTraffic(installation)
  cleanups.push(traffic.stop)
  const more = (count: number) => {
    const aims = DOMAINS.map((domain) => [domain, traffic.acknowledged[domain]!.size + count] as const)
    const isReached = () => aims.every(([domain, aim]) => traffic.acknowledged[domain]!.size >= aim)
    return eventually(isReached, { timeoutMs: 60_000, what: `${count} more documents for each domain` })
  }
  await more(5)

  const launched = launchWaybill(installation.folder, { WAYBILL_HTTP_LISTEN: '127.0.0.1:0' })
  cleanups.push(async () => {
    launched.signal('SIGKILL')
    await launched.ended
  })
  const second = await launched.ready()
  expect(DOMAINS).toContain(second.ready.domain)
  expect(await servedBy(second.ready.http)).toEqual([second.ready.domain])
  const kept = DOMAINS.filter((domain) => domain !== second.ready.domain)
  await eventually(async () => String(await servedBy(first)) === String(kept))
  await more(5)
  // What is common is said by each, and nobody waits for a domain that is served elsewhere.
  expect((await fetch(`${first}/readyz`)).status).toBe(200)
  const doctor = await command(['doctor', installation.folder])
  expect(doctor.stdout.match(/^process .* fine .* configuration [0-9a-f]{16} is in force$/gm)).toHaveLength(2)

  launched.signal('SIGKILL')
  await eventually(async () => (await servedBy(first)).length === 2, { timeoutMs: 60_000, what: 'both domains again' })
  await more(5)
  await traffic.stop()

  const ids = DOMAINS.flatMap((domain) => [...traffic.acknowledged[domain]!])
  const arrived = (id: string) => installation.other.received.some((stanza) => stanza.includes(id))
  await eventually(() => ids.every(arrived), { timeoutMs: 60_000, what: 'every acknowledged document to arrive' })
  const ledger = await eventually(async () => {
    const { stdout } = await command(['ledger', installation.folder, '-o', 'json'])
    const counts = JSON.parse(stdout)
    return counts.documents.waiting === 0 && counts
  })
  expect(ledger.balanced).toBe(true)
  expect(ledger.documents.accepted).toBeGreaterThanOrEqual(ids.length)
  expect(ledger.documents.delivered).toBe(ledger.documents.accepted)
  for (const domain of DOMAINS) {
    const [id] = traffic.acknowledged[domain]!
    const trace = await command(['trace', installation.folder, id!])
    expect(trace.stdout).toMatch(/^\S+ {2}delivered$/m)
  }

  const stray = `<order xmlns='urn:example:secret'/>`
  await installation.submit(stray, { from: 'boss@peer.example.test', to: DOMAINS[1] })
  installation.waybill.signal('SIGTERM')
  await installation.waybill.ended
  const file = join(installation.folder, 'waybill.yaml')
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace(`\n    - ${DOMAINS[1]}`, ' []'))
  await installation.restart()
  const left = { event: 'domain-left', domain: DOMAINS[1], waiting: 0, held: 0, dead: 1 }
  const lines = installation.waybill.log().trim().split('\n')
  expect(lines.map((line) => JSON.parse(line))).toContainEqual(expect.objectContaining(left))
})
