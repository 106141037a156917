import { setTimeout as delay } from 'node:timers/promises'
import type { Configuration } from '../config/configuration.ts'
import { destinationName } from '../domain/delivery.ts'
import { type Lease, StoreUnavailable } from '../flow/ports.ts'
import type { Readiness } from '../http/server.ts'
import { createLog } from '../log.ts'
import { openLease } from '../redis/lease.ts'
import { connectionOptionsOf, domainsOf, leaseOptionsOf } from '../settings.ts'
import { type Connection, createConnection } from '../xmpp/connection.ts'
import { probePubSub, probeSubscription } from '../xmpp/probe.ts'
import { assembled } from './assembled.ts'
import { type Examination, examineRedis, ofDomains } from './examine-redis.ts'
import { type ExitCode, formatTime, type Output, printRows } from './output.ts'

const ATTACH_MS = 8_000
const silent = createLog(() => {}, 'error')
const leftAlone: Examination = {
  part: 'xmpp',
  verdict: 'not asked',
  detail: 'its connection is not disturbed',
}

/** Asks everything that Waybill depends on. 3 where something is wrong with it, 1 where the configuration is. */
export async function doctor(folder: string, output: Output): Promise<ExitCode> {
  const assembly = await assembled(folder, output)
  assembly.documents.dispose()
  const redis = await examineRedis(assembly.configuration.settings)
  const fault = redis.find(({ part, verdict }) => part === 'redis' && verdict === 'wrong')?.detail
  const examinations = [
    { part: 'configuration', verdict: 'fine' as const, detail: folder },
    ...redis,
    ...(await examineDomains(assembly.configuration, fault)),
  ]
  const rows = examinations.map(({ part, verdict, detail }) => ({ part, verdict, detail }))
  printRows(output, rows, examinations, '')
  return examinations.some(({ verdict }) => verdict === 'wrong') ? 3 : 0
}

/**
 * A running Waybill is asked rather than disturbed: a second connection would take its stanzas away, or the connection itself.
 * So doctor attaches as every process does: only while it holds the domain.
 */
async function examineDomains(
  configuration: Configuration,
  redisFault: string | undefined,
): Promise<readonly Examination[]> {
  const running = await askRunning(configuration)
  const domains = domainsOf(configuration.settings)
  const examinations: Examination[] = [...(running ?? [])]
  for (const domain of domains) {
    const found =
      redisFault === undefined
        ? await examineDomain(configuration, domain, running !== undefined)
        : unknownHolder(domain, redisFault, running !== undefined)
    examinations.push(...ofDomains(domains, domain, found))
  }
  return examinations
}

async function examineDomain(
  configuration: Configuration,
  domain: string,
  isRunning: boolean,
): Promise<readonly Examination[]> {
  try {
    const lease = await openLease(leaseOptionsOf(configuration.settings, domain, silent))
    try {
      const taken = await lease.tryTake()
      if (isRunning) return examineHolder(lease, domain)
      if (!taken) return [...examineHolder(lease, domain), leftAlone]
      await lease.take()
      return await examineAttached(configuration, domain, lease)
    } finally {
      await lease.close()
    }
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error
    return unknownHolder(domain, error.message, isRunning)
  }
}

function unknownHolder(domain: string, fault: string, isRunning: boolean): readonly Examination[] {
  const detail = `nobody can say whether another process holds ${domain}: ${fault}`
  return isRunning ? [] : [{ part: 'xmpp', verdict: 'not asked', detail }]
}

function examineHolder({ other }: Lease, domain: string): readonly Examination[] {
  if (!other) return []
  const detail = `${other.instance} holds ${domain} since ${formatTime(other.sinceMs)} UTC`
  return [{ part: 'holder', verdict: 'fine', detail }]
}

async function examineAttached(
  configuration: Configuration,
  domain: string,
  lease: Lease,
): Promise<readonly Examination[]> {
  const { service, domain: first, host } = configuration.settings.xmpp
  const connection = connectionFor(configuration, domain, lease)
  try {
    await Promise.race([connection.start(() => {}), tooLate(service)])
  } catch (error) {
    await connection.stop(0)
    return [{ part: 'xmpp', verdict: 'wrong', detail: (error as Error).message }]
  }
  try {
    return [
      { part: 'xmpp', verdict: 'fine', detail: `attached to ${service} as ${domain}` },
      await examineHost(connection, host),
      ...(await examinePubSub(connection, configuration)),
      ...(domain === first ? await examineSubscriptions(connection, configuration) : []),
      await examineTakeover(connectionFor(configuration, domain, lease)),
    ]
  } finally {
    await connection.stop(2_000)
  }
}

/** What a standby process meets where the connection of a frozen one is still open. */
async function examineTakeover(second: Connection): Promise<Examination> {
  const part = 'takeover'
  try {
    await Promise.race([second.start(() => {}), tooLate('the server a second time')])
    return { part, verdict: 'fine', detail: 'a new connection is let in while an old one is half-open' }
  } catch (error) {
    const detail = 'a standby process has to wait until the server gives up a half-open connection'
    const cure = 'on Prosody, set component_conflict_resolve = "kick_old" for the component'
    return { part, verdict: 'limited', detail: `${(error as Error).message}: ${detail}; ${cure}` }
  } finally {
    await second.stop(1_000)
  }
}

function connectionFor({ settings }: Configuration, domain: string, lease: Lease): Connection {
  return createConnection({ ...connectionOptionsOf(settings, domain, lease, silent), refusalAfterMs: 0 })
}

async function tooLate(service: string): Promise<never> {
  await delay(ATTACH_MS + 2_000, undefined, { ref: false })
  throw new Error(`Cannot attach to ${service}: no answer within ${ATTACH_MS + 2_000} ms`)
}

async function askRunning({ settings }: Configuration): Promise<readonly Examination[] | undefined> {
  if (!settings.http || settings.http.listen.port === 0) return undefined
  const parts = await partsReady(settings.http.listen)
  if (!parts) return undefined
  return [
    // These have been looked up in Redis.
    ...parts
      .filter(({ part }) => !part.startsWith('destination') && !part.startsWith('held documents'))
      .map(({ part, ready, reason }): Examination => {
        const isFine = ready || reason.startsWith('standby: ')
        // For a moment, while they change together.
        if (!ready && part === 'configuration') return { part: `running ${part}`, verdict: 'limited', detail: reason }
        return { part: `running ${part}`, verdict: isFine ? 'fine' : 'wrong', detail: reason || 'ready' }
      }),
    { part: 'pubsub', verdict: 'not asked', detail: 'Waybill is running: its own connection is not disturbed' },
  ]
}

/** Undefined where nobody answers, or something else than Waybill. */
async function partsReady({ host, port }: { readonly host: string; readonly port: number }) {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  try {
    const answer = await fetch(`http://${authority}/readyz`, { signal: AbortSignal.timeout(2_000) })
    const { parts } = (await answer.json()) as { readonly parts?: unknown }
    return Array.isArray(parts) ? (parts as readonly Readiness[]) : undefined
  } catch {
    return undefined
  }
}

/** The server that is asked for the hand-over proof must answer, with whatever it likes. */
async function examineHost(connection: Connection, host: string): Promise<Examination> {
  const answer = await connection.request({
    to: host,
    type: 'get',
    payload: '<ping xmlns="urn:xmpp:ping"/>',
    timeoutMs: 5_000,
  })
  const answers = answer.kind === 'result' || answer.kind === 'error'
  return {
    part: 'host',
    verdict: answers ? 'fine' : 'wrong',
    detail: answers ? `${host} answers` : `${host} does not answer a ping: nothing could be proven`,
  }
}

async function examinePubSub(connection: Connection, { routes }: Configuration): Promise<readonly Examination[]> {
  const services = new Map<string, boolean>()
  for (const { target, create } of routes.flatMap((route) => route.deliver)) {
    if (target.kind === 'node')
      services.set(target.service, (services.get(target.service) ?? false) || create !== undefined)
  }
  const examinations: Examination[] = []
  for (const [service, creates] of services) {
    const wrong = await probePubSub(connection, service, creates)
    const may = creates ? 'may create and publish' : 'is a PubSub service'
    examinations.push({
      part: `pubsub ${service}`,
      verdict: wrong === undefined ? 'fine' : 'wrong',
      detail: wrong ?? may,
    })
  }
  return examinations
}

async function examineSubscriptions(
  connection: Connection,
  { settings }: Configuration,
): Promise<readonly Examination[]> {
  const examinations: Examination[] = []
  for (const { pubsub: service, node } of settings.subscriptions) {
    const { detail, problem } = await probeSubscription(connection, service, node)
    const part = `subscription ${destinationName({ kind: 'node', service, node })}`
    examinations.push({ part, verdict: problem ? 'wrong' : 'fine', detail })
  }
  return examinations
}
