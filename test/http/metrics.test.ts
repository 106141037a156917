import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createMetrics, type Gauges } from '../../src/http/metrics.ts'

const DEPTH = { waiting: 4, underWay: 3, suspects: 5, held: 0, dead: 2, oldestDueMs: 1 }

/** The values of the gauges that are read from Redis, by name; what is absent is missing here. */
async function scrape({ registry }: ReturnType<typeof createMetrics>): Promise<Record<string, number>> {
  const lines = (await registry.metrics()).matchAll(
    /^waybill_deliveries_(waiting|under_way|suspects|dead|oldest_due_ms) (\S+)$/gm,
  )
  return Object.fromEntries([...lines].map(([, name, value]) => [name, Number(value)]))
}

function metricsOn(depth: Gauges['depth']): ReturnType<typeof createMetrics> {
  return createMetrics({
    online: () => true,
    standby: () => false,
    openDestinations: () => 0,
    bytes: async () => ({}),
    depth,
  })
}

describe('the gauges that are read from Redis', () => {
  it('tell the depths of this moment, from one look for all of them', async () => {
    let looks = 0
    const metrics = metricsOn(async () => ({ ...DEPTH, waiting: ++looks }))
    expect(await scrape(metrics)).toEqual({ waiting: 1, under_way: 3, suspects: 5, dead: 2, oldest_due_ms: 1 })
    expect(await scrape(metrics)).toEqual({ waiting: 2, under_way: 3, suspects: 5, dead: 2, oldest_due_ms: 1 })
  })

  it('tell the bytes that are kept, by state, and nothing while Redis is away', async () => {
    let isAway = false
    const bytes = async () => {
      if (isAway) throw new Error('Redis is away')
      return { waiting: 7, dead: 5 }
    }
    const { registry } = createMetrics({
      online: () => true,
      standby: () => false,
      openDestinations: () => 0,
      bytes,
      depth: async () => DEPTH,
    })
    const lines = async () =>
      [...(await registry.metrics()).matchAll(/^waybill_payload_bytes\{.*$/gm)].map(([line]) => line)
    const both = ['waybill_payload_bytes{state="waiting"} 7', 'waybill_payload_bytes{state="dead"} 5']
    expect(await lines()).toEqual(both)
    isAway = true
    expect(await lines()).toEqual([])
    isAway = false
    expect(await lines()).toEqual(both)
  })

  it('are absent while Redis is away, and come back with it', async () => {
    let isAway = false
    const metrics = metricsOn(async () => {
      if (isAway) throw new Error('Redis is away')
      return DEPTH
    })
    await scrape(metrics)
    isAway = true
    expect(await scrape(metrics)).toEqual({})
    isAway = false
    expect(await scrape(metrics)).toEqual({ waiting: 4, under_way: 3, suspects: 5, dead: 2, oldest_due_ms: 1 })
  })
})

describe('the page on operations', () => {
  it('lists every metric of ours as it is described there', async () => {
    const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
    const documented = [...page.matchAll(/^\| `(waybill_\w+)` \| .*? ?\| (.+) \|$/gm)].map(([, name, help]) => ({
      name,
      help,
    }))
    const { registry } = metricsOn(async () => DEPTH)
    const ours = (await registry.getMetricsAsJSON()).filter(({ name }) => !/^waybill_(process|nodejs)_/.test(name))
    expect(documented).toEqual(ours.map(({ name, help }) => ({ name, help })))
  })
})

describe('what an alert asks an increase of', () => {
  // deploy/prometheus/alerts.yml; a regular expression of Prometheus's stands for each of its words.
  const alerts = readFileSync(new URL('../../deploy/prometheus/alerts.yml', import.meta.url), 'utf8')
  const asked = [...alerts.matchAll(/(?:increase|rate)\((waybill_\w+_total)(?:\{(\w+)=~?"([^"]*)"\})?\[/g)]
    .filter(([, name]) => name !== 'waybill_documents_accepted_total')
    .map(([, name, label, values]) => ({ name: name!, label, values: values?.split('|') ?? [] }))

  it('is asked by some', () => {
    expect(asked.map(({ name }) => name)).toContain('waybill_deliveries_ended_total')
    expect(asked.map(({ name }) => name)).toContain('waybill_documents_rejected_total')
  })

  it.each(asked)('$name of $label $values is there before anything is counted', async ({ name, label, values }) => {
    const text = await metricsOn(async () => DEPTH).registry.metrics()
    const series = text.split('\n').filter((line) => line.startsWith(`${name}{`) && line.endsWith(' 0'))
    for (const value of values) expect(series.join('\n')).toContain(`${label}="${value}"`)
    expect(series.length).toBeGreaterThan(0)
  })
})
