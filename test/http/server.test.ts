import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { createMetrics } from '../../src/http/metrics.ts'
import { type Readiness, type RunningHttp, startHttp } from '../../src/http/server.ts'
import { start } from '../../src/main.ts'
import { StartFailed } from '../../src/start-failed.ts'
import { keepLog } from '../redis/fixtures.ts'
import { startRedis } from '../servers/redis.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const ready: readonly Readiness[] = [
  { part: 'xmpp', ready: true, reason: '' },
  { part: 'redis', ready: true, reason: '' },
]

const depth = async () => ({ waiting: 0, underWay: 0, suspects: 0, held: 0, dead: 0, oldestDueMs: 0 })

async function serve(changes: Partial<Parameters<typeof startHttp>[0]> = {}) {
  const { log, lines } = keepLog()
  const made = createMetrics({
    online: () => true,
    standby: () => false,
    openDestinations: () => 0,
    bytes: async () => ({}),
    depth,
  })
  const options = { host: '127.0.0.1', port: 0, registry: made.registry, readiness: async () => ready, log }
  const http: RunningHttp = await startHttp({ ...options, ...changes })
  cleanups.push(() => http.close())
  return { ...made, lines, get: (path: string, init?: RequestInit) => fetch(http.url + path, init), url: http.url }
}

describe('the answers', () => {
  const table: readonly [method: string, path: string, status: number, type: RegExp, body: RegExp][] = [
    ['GET', '/healthz', 200, /^text\/plain/, /^ok\n$/],
    ['GET', '/healthz?x=1', 200, /^text\/plain/, /^ok\n$/],
    ['GET', '/readyz', 200, /^application\/json/, /^\{"parts":\[/],
    ['GET', '/metrics', 200, /^text\/plain; version=0\.0\.4/, /^# HELP /],
    ['GET', '/', 404, /^text\/plain/, /^not found\n$/],
    ['GET', '//', 404, /^text\/plain/, /^not found\n$/],
    ['GET', '/healthz/x', 404, /^text\/plain/, /^not found\n$/],
    ['GET', '/%00', 404, /^text\/plain/, /^not found\n$/],
    ['POST', '/healthz', 405, /^text\/plain/, /^method not allowed\n$/],
    ['DELETE', '/metrics', 405, /^text\/plain/, /^method not allowed\n$/],
    ['HEAD', '/healthz', 200, /^text\/plain/, /^$/],
    ['HEAD', '/metrics', 200, /^text\/plain; version=0\.0\.4/, /^$/],
    ['HEAD', '/nothing', 404, /^text\/plain/, /^$/],
  ]
  it.each(table)('%s %s is %i', async (method, path, status, type, body) => {
    const { get } = await serve()
    const response = await get(path, { method })
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toMatch(type)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('allow')).toBe(status === 405 ? 'GET, HEAD' : null)
    expect(await response.text()).toMatch(body)
  })

  it('/readyz says which part is not ready, and why', async () => {
    const parts: Readiness[] = [ready[0]!, { part: 'redis', ready: false, reason: 'Cannot read depth: away' }]
    const { get } = await serve({ readiness: async () => parts })
    const response = await get('/readyz')
    expect(response.status).toBe(503)
    expect(await response.json()).toEqual({ parts })
  })

  it('a fault of ours is 500 without its words, and the next request is answered', async () => {
    const { get, lines } = await serve({ readiness: () => Promise.reject(new Error('a secret')) })
    const response = await get('/readyz')
    expect([response.status, await response.text()]).toEqual([500, 'internal error\n'])
    expect(lines).toMatchObject([{ level: 'error', event: 'http-failed', details: { reason: 'a secret' } }])
    expect((await get('/healthz')).status).toBe(200)
  })

  it('what is no HTTP ends its own connection only', async () => {
    const { get, url } = await serve()
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    const ended = new Promise((resolve) => socket.once('close', resolve))
    socket.resume().end('nonsense\r\n\r\n')
    await ended
    expect((await get('/healthz')).status).toBe(200)
  })

  it('end with the process: an open connection does not hold it', async () => {
    const http = await startHttp({
      ...{
        host: '127.0.0.1',
        port: 0,
        registry: createMetrics({
          online: () => true,
          standby: () => false,
          openDestinations: () => 0,
          bytes: async () => ({}),
          depth,
        }).registry,
      },
      ...{ readiness: async () => ready, log: () => {} },
    })
    const socket = connect(Number(new URL(http.url).port), '127.0.0.1')
    await new Promise((resolve) => socket.once('connect', resolve))
    await http.close()
    await expect(fetch(`${http.url}/healthz`)).rejects.toThrow()
    socket.destroy()
  })
})

describe('what happened is counted', () => {
  it('in the metric of its name, with its labels', async () => {
    const { metrics, get } = await serve()
    metrics.accepted('order', 'iq', 0.02)
    metrics.duplicate('order')
    metrics.claimReplaced('order')
    metrics.rejected('invalid')
    metrics.rejected('too-large')
    metrics.ignored()
    metrics.failed()
    metrics.attempt('timeout')
    metrics.ended('dead', 'refused', 3)
    metrics.alarm('refused')
    const lines = (await (await get('/metrics')).text()).split('\n')
    for (const line of [
      'waybill_documents_accepted_total{type="order",stanza="iq"} 1',
      'waybill_accept_seconds_bucket{le="0.025"} 1',
      'waybill_accept_seconds_bucket{le="0.01"} 0',
      'waybill_documents_duplicate_total{type="order"} 1',
      'waybill_claims_replaced_total{type="order"} 1',
      'waybill_documents_rejected_total{reason="invalid"} 1',
      'waybill_documents_rejected_total{reason="too-large"} 1',
      'waybill_stanzas_ignored_total 1',
      'waybill_stanzas_failed_total 1',
      'waybill_attempts_total{result="timeout"} 1',
      'waybill_deliveries_ended_total{state="dead",reason="refused"} 1',
      'waybill_delivery_seconds_sum{state="dead"} 3',
      'waybill_alarms_total{cause="refused"} 1',
      'waybill_xmpp_online 1',
    ]) {
      expect(lines).toContain(line)
    }
  })

  it('and every metric says in a sentence what it is', async () => {
    const { get } = await serve()
    const text = await (await get('/metrics')).text()
    const names = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name]) => name!)
    const own = names.filter((name) => !/^waybill_(process|nodejs)_/.test(name))
    expect(own.length).toBeGreaterThanOrEqual(14)
    for (const name of own) {
      expect(name).toMatch(/^waybill_[a-z_]+$/)
      const help = new RegExp(`^# HELP ${name} (.*)$`, 'm').exec(text)?.[1]
      expect(help, name).toMatch(/^[A-Z].{15,}\.$/)
    }
  })
})

describe('an address in use', () => {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-http-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  async function occupied(): Promise<number> {
    const other: Server = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => new Promise((resolve) => other.close(resolve)))
    return (other.address() as AddressInfo).port
  }

  it('ends the start with one clear sentence, and exit code 3', async () => {
    const port = await occupied()
    const redis = await startRedis()
    cleanups.push(() => redis.stop())
    const settings = {
      xmpp: { service: 'xmpp://127.0.0.1:1', domain: 'w.example.test', host: 'example.test', secret: 'x' },
      redis: { url: redis.url },
      http: { listen: `127.0.0.1:${port}` },
    }
    writeFileSync(join(folder, 'waybill.yaml'), JSON.stringify(settings))
    const surroundings = { environment: {}, log: () => {}, complain: () => {} }
    const failure = await start(folder, surroundings).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(StartFailed)
    expect(failure).toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(new RegExp(`^Cannot listen for HTTP on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`)),
    })
  })
})
