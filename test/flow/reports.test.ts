import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Report, StoreUnavailable } from '../../src/flow/ports.ts'
import { createReports, type ReportNeeds, type Reports, reportedEnvelope, reportId } from '../../src/flow/reports.ts'
import type { RedisStore } from '../../src/redis/store.ts'
import { accepted, closeStores, openTestStore, plan } from '../redis/fixtures.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'

let redis: RunningRedis

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis?.stop())
afterEach(closeStores)

type Outcome = Awaited<ReturnType<ReportNeeds['outlet']['report']>>

interface Scene {
  readonly store: RedisStore
  readonly reports: Reports
  readonly sent: Report[]
  readonly counted: string[]
  outcome: Outcome
  online: boolean
}

async function scene(between: (store: RedisStore) => ReportNeeds['store'] = (store) => store): Promise<Scene> {
  const store = await openTestStore(redis.url)
  const sent: Report[] = []
  const counted: string[] = []
  const state = { outcome: 'handed-over' as Outcome, online: true }
  const outlet: ReportNeeds['outlet'] = {
    async report(report) {
      sent.push(report)
      return state.outcome
    },
    get online() {
      return state.online
    },
  }
  const metrics = { report: (outcome: string) => void counted.push(outcome) }
  const reports = createReports({ store: between(store), outlet, metrics, log: () => {} })
  return Object.assign(state, { store, reports, sent, counted })
}

async function ended(store: RedisStore, kind: 'delivered' | 'dead' = 'dead'): Promise<string> {
  const id = await accepted(store, { report: 'all' })
  await endAgain(store, id, kind)
  return id
}

async function endAgain(store: RedisStore, id: string, kind: 'delivered' | 'dead'): Promise<void> {
  await store.start([`${id}.0`], [])
  await store.end({ id: `${id}.0`, kind, reason: 'refused', record: { atMs: 1, result: 'forbidden' } })
}

const idsOf = (sent: readonly Report[]) => sent.map(({ id }) => id)

describe('a report', () => {
  it('goes to whom the document came from, with counts and reasons, once', async () => {
    const at = await scene()
    const id = await ended(at.store)
    expect(await at.reports.sweep()).toBe(1)
    expect(at.sent).toMatchObject([
      {
        id: `${id}.report.1`,
        to: 'shop@suppliers.example/web',
        standing: {
          id,
          state: 'dead',
          deliveries: 1,
          counts: { waiting: 0, delivered: 0, dead: 1, expired: 0, dropped: 0 },
          reasons: [{ state: 'dead', reason: 'refused', count: 1 }],
        },
      },
    ])
    expect(JSON.stringify(at.sent)).not.toContain('erp@backend.example')
    expect(await at.reports.sweep()).toBe(0)
    expect(at.sent).toHaveLength(1)
    expect(at.counted).toEqual(['handed-over'])
  })

  it('is not sent before all deliveries have ended', async () => {
    const at = await scene()
    const deliveries = [plan({ to: 'a@x.example' }), plan({ to: 'b@x.example' })]
    const id = await accepted(at.store, { deliveries, report: 'all' })
    await endAgain(at.store, id, 'delivered')
    expect(await at.reports.sweep()).toBe(0)
    expect(at.sent).toEqual([])
  })

  it('whose hand-over is not proven is sent again, with the same id', async () => {
    const at = await scene()
    const id = await ended(at.store)
    at.outcome = 'lost'
    expect(await at.reports.sweep()).toBe(0)
    at.outcome = 'handed-over'
    expect(await at.reports.sweep()).toBe(1)
    expect(idsOf(at.sent)).toEqual([`${id}.report.1`, `${id}.report.1`])
    expect(at.counted).toEqual(['handed-over'])
  })

  it('waits while we are offline', async () => {
    const at = await scene()
    await ended(at.store)
    at.online = false
    expect(await at.reports.sweep()).toBe(0)
    expect(at.sent).toEqual([])
    at.online = true
    expect(await at.reports.sweep()).toBe(1)
  })

  it('that can not be written is given up, and counted', async () => {
    const at = await scene()
    await ended(at.store)
    at.outcome = 'unsendable'
    await at.reports.sweep()
    await at.reports.sweep()
    expect(at.sent).toHaveLength(1)
    expect(at.counted).toEqual(['unsendable'])
  })

  it('is given again when the document was reopened and ends again', async () => {
    const at = await scene()
    const id = await ended(at.store)
    await at.reports.sweep()
    await at.store.redrive(`${id}.0`, { by: 'operator' })
    await at.reports.sweep()
    await endAgain(at.store, id, 'delivered')
    await at.reports.sweep()
    expect(at.sent.map(({ id: stanza, standing }) => [stanza, standing.state])).toEqual([
      [`${id}.report.1`, 'dead'],
      [`${id}.report.2`, 'delivered'],
    ])
  })

  it('handed over while Redis is away is not sent again when it is back', async () => {
    let isAway = true
    const at = await scene((store) => ({
      owedReports: store.owedReports,
      trace: store.trace,
      reported: (reports) =>
        isAway && reports.length > 0 ? Promise.reject(new StoreUnavailable('away')) : store.reported(reports),
    }))
    await ended(at.store)
    await expect(at.reports.sweep()).rejects.toThrow('away')
    await expect(at.reports.sweep()).rejects.toThrow('away')
    isAway = false
    await at.reports.sweep()
    expect(at.sent).toHaveLength(1)
    expect(await at.store.owedReports(9)).toEqual([])
  })

  it('of many are all given by one sweep, and two sweeps at once send each once', async () => {
    const at = await scene()
    const ids = await Promise.all(
      Array.from({ length: 520 }, () => accepted(at.store, { report: 'all', deliveries: [] })),
    )
    await Promise.all([at.reports.sweep(), at.reports.sweep()])
    expect(new Set(idsOf(at.sent))).toEqual(new Set(ids.map((id) => `${id}.report.1`)))
    expect(at.sent).toHaveLength(520)
  })
})

describe('a report that came back', () => {
  it('is counted and not given again', async () => {
    const at = await scene()
    const id = await ended(at.store)
    await at.reports.sweep()
    await at.reports.bounced(`${id}.report.1`, 'shop@suppliers.example')
    expect(at.counted).toEqual(['handed-over', 'bounced'])
    await at.reports.sweep()
    expect(at.sent).toHaveLength(1)
  })

  it('from whom it did not go to counts for nothing', async () => {
    const at = await scene()
    const id = await ended(at.store)
    await at.reports.sweep()
    await at.reports.bounced(`${id}.report.1`, 'mallory@suppliers.example')
    await at.reports.bounced('01890a5d-ac96-774b-bcce-b302099a8057.report.1', 'shop@suppliers.example')
    expect(at.counted).toEqual(['handed-over'])
  })
})

it('the id of a report leads back to its envelope, and other ids do not', () => {
  const envelopeId = '01890a5d-ac96-774b-bcce-b302099a8057'
  expect(reportedEnvelope(reportId({ envelopeId, end: 12 }))).toBe(envelopeId)
  for (const other of [envelopeId, `${envelopeId}.0`, `${envelopeId}.report.`, `x${envelopeId}.report.1`, '']) {
    expect(reportedEnvelope(other)).toBeUndefined()
  }
})

it('a report of what was reopened since it was owed waits for the next end', async () => {
  const one = await scene((store) => ({
    ...store,
    async trace(id) {
      await store.redrive(id, { by: 'ops' })
      return store.trace(id)
    },
  }))
  const id = await ended(one.store)
  expect(await one.reports.sweep()).toBe(0)
  expect(one.sent).toEqual([])
  await endAgain(one.store, id, 'delivered')
  const [{ end } = { end: 0 }] = await one.store.owedReports(10)
  expect(end).toBe(2)
})
