import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { freePorts } from '../servers/ports.ts'
import {
  acceptedId,
  attribute,
  command,
  type Installation,
  install,
  type LaunchedWaybill,
  launchWaybill,
  order,
} from './waybill.ts'

const roleOf = ({ role }: { readonly role: string }) => role

/** Documents of ten senders who send again, with the same id, what was not acknowledged. */
interface Load {
  /** Envelope ids that were acknowledged so far. */
  readonly ids: Set<string>
  stop(): Promise<void>
}

function startLoad(at: Installation, name: string): Load {
  const ids = new Set<string>()
  let stopped = false
  const sendOne = async (from: string, id: string) => {
    while (!stopped) {
      const answer = await at.submit(order(id), { from, id, timeoutMs: 3_000 }).catch(() => undefined)
      if (answer !== undefined && attribute(answer, 'type') === 'result') {
        ids.add(acceptedId(answer))
        return
      }
      // It has not gone through: what the sender was told, or not told, changes nothing about it.
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
  const sender = async (number: number) => {
    for (let at = 0; !stopped; at++) await sendOne(`s${number}@peer.example.test/x`, `${name}-${number}-${at}`)
  }
  const senders = Array.from({ length: 10 }, (_, number) => sender(number))
  return {
    ids,
    async stop() {
      stopped = true
      await Promise.all(senders)
    },
  }
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

async function allArrived(at: Installation, ids: ReadonlySet<string>): Promise<void> {
  await eventually(
    () => {
      const came = arrivals(at)
      const missing = [...ids].filter((id) => !came.has(`${id}.0`))
      if (missing.length > 0) throw new Error(`${missing.length} of ${ids.size} are missing`)
      return true
    },
    { timeoutMs: 60_000, what: 'everything that was acknowledged to arrive' },
  )
  await eventually(
    async () => {
      const { balanced, documents } = await at.ledger()
      return balanced && documents.waiting === 0 && documents.dead === 0
    },
    { timeoutMs: 60_000, what: 'a ledger that balances, with nothing waiting' },
  )
}

/** Everything that came more than once must have had an attempt whose outcome nobody knew. */
async function repeatsAreExplained(at: Installation): Promise<void> {
  const repeated = [...arrivals(at)].filter(([, count]) => count > 1).map(([id]) => id)
  for (const id of repeated.slice(0, 20)) {
    const { deliveries } = await at.trace(id.replace(/\.\d+$/, ''))
    const attempts = deliveries.find((delivery) => delivery.id === id)!.attempts
    expect(
      attempts.map(({ result }) => result),
      id,
    ).toContain('void')
  }
}

const standsBy = (process: LaunchedWaybill) =>
  eventually(() => process.log().includes('"standby"'), { timeoutMs: 60_000 })

const moreThan = (load: Load, count: number) =>
  eventually(() => load.ids.size > count, { timeoutMs: 100_000, what: `more than ${count} acknowledged documents` })

describe.each(['prosody', 'ejabberd'] as const)('two processes for one domain, on %s', (kind) => {
  let at: Installation | undefined
  const launched: LaunchedWaybill[] = []
  afterEach(async () => {
    for (const process of launched.splice(0)) {
      process.signal('SIGCONT')
      process.signal('SIGKILL')
      await process.ended
    }
    await at?.stop()
    at = undefined
  })

  function launchOn(folder: string, environment: Readonly<Record<string, string>> = {}): LaunchedWaybill {
    const process = launchWaybill(folder, environment)
    launched.push(process)
    return process
  }

  it('the second one stands by, says so, disturbs nobody, and takes over at once when the first ends', async () => {
    at = await install({ kind })
    const { folder } = at
    const [port] = (await freePorts(1)) as [number]
    const second = launchOn(folder, { WAYBILL_HTTP_LISTEN: `127.0.0.1:${port}` })
    await standsBy(second)
    const readyz = await eventually(() => fetch(`http://127.0.0.1:${port}/readyz`))
    expect(readyz.status).toBe(503)
    const { parts } = (await readyz.json()) as { parts: { part: string; reason: string }[] }
    const reason = parts.find(({ part }) => part === 'xmpp')!.reason
    expect(reason).toMatch(new RegExp(`^standby: \\S+-${at.waybill.pid}-\\w+ holds waybill\\.example\\.test$`))
    expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toMatch(/^waybill_standby 1$/m)
    const doctor = await command(['doctor', folder])
    expect(doctor).toMatchObject({ code: 0 })
    expect(doctor.stdout).toMatch(/holder +fine +\S+ holds waybill\.example\.test since \d{4}-\d\d-\d\d /)
    expect(doctor.stdout).toMatch(/xmpp +not asked/)
    acceptedId(await at.submit(order('first')))
    await eventually(async () => {
      const { processes } = JSON.parse((await command(['top', folder, '-o', 'json'])).stdout)
      const rolesOf = (pid: number) =>
        processes.filter(({ instance }: { instance: string }) => instance.includes(`-${pid}-`)).map(roleOf)
      return rolesOf(at!.waybill.pid)[0] === 'holder' && rolesOf(second.pid)[0] === 'standby'
    })

    at.waybill.signal('SIGTERM')
    expect(await at.waybill.ended).toBe(0)
    const endedAt = performance.now()
    at.waybill = await second.ready()
    expect(performance.now() - endedAt).toBeLessThan(7_000)
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200)
    acceptedId(await at.submit(order('second')))
  })

  it('where the first is killed under load, the second delivers everything that was acknowledged', async () => {
    at = await install({ kind })
    const second = launchOn(at.folder)
    await standsBy(second)
    const load = startLoad(at, 'kill')
    await moreThan(load, 200)
    at.waybill.signal('SIGKILL')
    await at.waybill.ended
    at.waybill = await second.ready()
    await moreThan(load, load.ids.size + 200)
    await load.stop()
    await allArrived(at, load.ids)
    await repeatsAreExplained(at)
  }, 300_000)

  it('where the first is frozen under load, the second takes over, and the first writes nothing when it wakes', async () => {
    at = await install({ kind })
    const first = at.waybill
    const second = launchOn(at.folder)
    await standsBy(second)
    const load = startLoad(at, 'freeze')
    await moreThan(load, 200)
    first.signal('SIGSTOP')
    at.waybill = await second.ready()
    const before = load.ids.size
    first.signal('SIGCONT')
    await eventually(() => first.log().includes('"lease-lost"'), { timeoutMs: 60_000 })
    await eventually(() => first.log().includes('"standby"'), { timeoutMs: 60_000 })
    await moreThan(load, before + 200)
    await load.stop()
    await allArrived(at, load.ids)
    await repeatsAreExplained(at)

    // It stands by as the second did, and can take over as well.
    expect(first.running).toBe(true)
    expect((await fetch(`${first.ready.http}/readyz`)).status).toBe(503)
    at.waybill.signal('SIGTERM')
    expect(await at.waybill.ended).toBe(0)
    at.waybill = first
    await eventually(async () => (await fetch(`${first.ready.http}/readyz`)).status === 200, { timeoutMs: 60_000 })
    const id = acceptedId(await at.submit(order('third')))
    await eventually(() => arrivals(at!).has(`${id}.0`))
  }, 360_000)

  it('a rolling restart of both under load loses nothing and duplicates nothing', async () => {
    at = await install({ kind })
    const load = startLoad(at, 'roll')
    let standby = launchOn(at.folder)
    for (let round = 1; round <= 2; round++) {
      await standsBy(standby)
      await moreThan(load, load.ids.size + 150)
      at.waybill.signal('SIGTERM')
      expect(await at.waybill.ended).toBe(0)
      at.waybill = await standby.ready()
      standby = launchOn(at.folder)
    }
    await standsBy(standby)
    await moreThan(load, load.ids.size + 150)
    await load.stop()
    await allArrived(at, load.ids)
    const repeated = [...arrivals(at)].filter(([, count]) => count > 1)
    expect(repeated).toEqual([])
    standby.signal('SIGTERM')
    expect(await standby.ended).toBe(0)
  }, 300_000)
})
