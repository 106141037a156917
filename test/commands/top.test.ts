import { describe, expect, it } from 'vitest'
import { fitted, frameOf } from '../../src/commands/top-frame.ts'
import type { ProcessFigures } from '../../src/domain/process-figures.ts'
import { createFigures } from '../../src/flow/figures.ts'
import type { Metrics } from '../../src/flow/ports.ts'

const AT = Date.UTC(2026, 10, 21, 9, 30, 5)
const depth = { waiting: 12, underWay: 8, suspects: 0, dead: 3, held: 1, oldestDueMs: 1_500 }
const figuresOf = (more: Partial<ProcessFigures>): ProcessFigures => ({
  instance: 'alpha-1-c0ffee',
  domain: 'waybill.example.org',
  role: 'holder',
  version: '0.1.0',
  sinceMs: AT - 3_600_000,
  perSecond: { accepted: 812.4, duplicate: 0, rejected: 1.25, delivered: 811, dead: 0.2, attempts: 815, checked: 0 },
  acceptMs: { p50: 2.04, p99: 11.7 },
  deliveryMs: null,
  checking: 4,
  cpu: 0.873,
  residentBytes: 142_000_000,
  ...more,
})

describe('a frame of waybill top', () => {
  it('shows what waits, each process, and all of them together', () => {
    const standby = figuresOf({
      instance: 'beta-2-f00d',
      role: 'standby',
      sinceMs: AT - 90_000,
      perSecond: { accepted: 0, duplicate: 0, rejected: 0, delivered: 0, dead: 0, attempts: 0, checked: 19.6 },
      acceptMs: null,
      cpu: 0.99,
    })
    const lines = frameOf({ domain: 'waybill.example.org', atMs: AT, processes: [figuresOf({}), standby], depth })
    expect(lines.join('\n')).toBe(`waybill.example.org  09:30:05 UTC
waiting 12   dead 3   held 1   under way 8   oldest due 1 s   suspects 0

PROCESS         ROLE     ACCEPTED/S  DELIVERED/S  DEAD/S  REJECTED/S  CPU    MEMORY  ACCEPT MS  DELIVERY MS  UP      DUP/S  CHECKED/S  CHECKING
alpha-1-c0ffee  holder   812         811          0.2     1.3         87 %   142 MB  2.0 / 12   -            60 min  0      0          4
beta-2-f00d     standby  0           0            0       0           99 %   142 MB  -          -            90 s    0      20         4
all                      812         811          0.2     1.3         186 %  284 MB                                  0      20         8`)
  })

  it.each([
    [60, 'waiting 12   dead 3   held 1   under way 8   …', ['PROCESS', 'ROLE', 'ACCEPTED/S', 'DELIVERED/S', '…']],
    [68, 'waiting 12   dead 3   held 1   under way 8   oldest due 1 s   …', ['…']],
    [9, 'waiting 12   …', ['PROCESS', '…']],
  ])('of %i columns shows what fits whole, and that there is more', (columns, amounts, headings) => {
    const processes = [figuresOf({})]
    const [, line, , head, row] = frameOf({ domain: 'w.example', atMs: AT, processes, depth }, columns)
    expect(line).toBe(amounts)
    expect(head!.split(/ +/)).toEqual(expect.arrayContaining(headings))
    expect(row).toMatch(/^alpha-1-c0ffee .*…$/)
    if (columns > 20) expect([line, head, row].map((one) => one!.length <= columns)).toEqual([true, true, true])
  })

  it('says where no process runs', () => {
    expect(frameOf({ domain: 'w.example', atMs: AT, processes: [], depth }).at(-1)).toBe('no process runs')
  })

  it('is cut to the terminal, with a mark', () => {
    expect(fitted(['abcdef', 'gh', 'ijkl'], 3, 2)).toEqual(['ab…', 'gh'])
  })
})

describe('figures of the last seconds', () => {
  const nothing = new Proxy({}, { get: () => () => {} }) as Metrics

  it('are what happened in the last five whole ones', () => {
    let nowMs = 10_000
    const { metrics, read } = createFigures({ ...spread(nothing) }, () => nowMs)
    nowMs = 15_000
    for (let at = 0; at < 90; at += 1) metrics.accepted('order', 'iq', 0.002)
    for (let at = 0; at < 10; at += 1) metrics.accepted('order', 'iq', 0.5)
    metrics.rejected('invalid')
    expect(read()).toMatchObject({ perSecond: { accepted: 0 }, acceptMs: null })
    nowMs = 16_000
    const { perSecond, acceptMs, deliveryMs } = read()
    expect(perSecond).toMatchObject({ accepted: 20, rejected: 0.2, delivered: 0 })
    expect(acceptMs!.p50).toBeGreaterThanOrEqual(2)
    expect(acceptMs!.p50).toBeLessThan(2.3)
    expect(acceptMs!.p99).toBeGreaterThanOrEqual(500)
    expect(acceptMs!.p99).toBeLessThan(551)
    expect(deliveryMs).toBeNull()
    nowMs = 21_000
    expect(read().perSecond.accepted).toBe(0)
  })

  it('count each delivery by its end', () => {
    let nowMs = 1_000
    const { metrics, read } = createFigures({ ...spread(nothing) }, () => nowMs)
    metrics.ended('delivered', '', 0.01)
    metrics.ended('dead', 'refused', 1)
    metrics.ended('expired', '', 1)
    nowMs = 2_000
    expect(read().perSecond).toMatchObject({ delivered: 1, dead: 1 })
  })
})

/** Every method of the port that figures pass on to. */
function spread(metrics: Metrics): Metrics {
  const { accepted, duplicate, rejected, checked, attempt, ended } = metrics
  return { ...metrics, accepted, duplicate, rejected, checked, attempt, ended }
}
