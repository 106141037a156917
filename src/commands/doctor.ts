import { setTimeout as delay } from 'node:timers/promises'
import type { Assembly } from '../assemble.ts'
import type { Configuration } from '../config/configuration.ts'
import { createLog } from '../log.ts'
import { durabilityProblems, type RedisStore } from '../redis/store.ts'
import { connectionOptionsOf } from '../settings.ts'
import { type Connection, ConnectionRefused, createConnection } from '../xmpp/connection.ts'
import { probePubSub } from '../xmpp/probe.ts'
import { assembled } from './assembled.ts'
import { type ExitCode, type Output, printRows } from './output.ts'
import { withStore } from './with-store.ts'

interface Examination {
  readonly part: string
  readonly verdict: 'fine' | 'wrong' | 'not asked'
  readonly detail: string
}

const CLOCK_SKEW_MS = 1_000
const ATTACH_MS = 8_000

/** Asks everything that Waybill depends on. 3 where something is wrong with it, 1 where the configuration is. */
export async function doctor(folder: string, output: Output): Promise<ExitCode> {
  const assembly = await assembled(folder, output)
  assembly.documents.dispose()
  const examinations = [
    { part: 'configuration', verdict: 'fine' as const, detail: folder },
    ...(await examineRedis(assembly)),
    ...(await examineXmpp(assembly.configuration)),
  ]
  const rows = examinations.map(({ part, verdict, detail }) => ({ part, verdict, detail }))
  printRows(output, rows, examinations, '')
  return examinations.some(({ verdict }) => verdict === 'wrong') ? 3 : 0
}

async function examineRedis(assembly: Assembly): Promise<readonly Examination[]> {
  const { redis } = assembly.configuration.settings
  try {
    return await withStore(assembly.configuration.settings, async (store) => {
      const seen = await store.inspect()
      const wrong = durabilityProblems(seen, redis.durability)
      const skew = Math.abs(seen.clockSkewMs)
      return [
        {
          part: 'redis',
          verdict: 'fine',
          detail: `version ${seen.version}, ${Math.round(seen.usedMemory / 1e6)} MB used`,
        },
        await examineWrites(store),
        {
          part: 'durability',
          verdict: wrong.length > 0 ? 'wrong' : 'fine',
          detail: wrong.join('; ') || `${redis.durability}, ${seen.maxmemoryPolicy}`,
        },
        {
          part: 'clock',
          verdict: skew > CLOCK_SKEW_MS ? 'wrong' : 'fine',
          detail: `${skew} ms from the clock of Redis`,
        },
      ]
    })
  } catch (error) {
    return [{ part: 'redis', verdict: 'wrong', detail: (error as Error).message }]
  }
}

/** A Redis that answers may still take no documents: no memory, no disk, a replica only. */
async function examineWrites(store: RedisStore): Promise<Examination> {
  const detail = await store.probeWrites().then(
    () => '',
    (error: Error) => error.message,
  )
  return { part: 'writes', verdict: detail === '' ? 'fine' : 'wrong', detail: detail || 'Redis takes documents' }
}

/** A running Waybill is asked rather than disturbed: a second connection would be refused, or would take stanzas away. */
async function examineXmpp(configuration: Configuration): Promise<readonly Examination[]> {
  const running = await askRunning(configuration)
  if (running) return running
  const { settings } = configuration
  const connection = createConnection({
    ...connectionOptionsOf(
      settings,
      createLog(() => {}, 'error'),
    ),
    refusalAfterMs: 0,
  })
  try {
    await Promise.race([connection.start(() => {}), tooLate(settings.xmpp.service)])
  } catch (error) {
    await connection.stop(0)
    return [unattached(error as Error)]
  }
  try {
    const attached: Examination = {
      part: 'xmpp',
      verdict: 'fine',
      detail: `attached to ${settings.xmpp.service} as ${settings.xmpp.domain}`,
    }
    return [
      attached,
      await examineHost(connection, settings.xmpp.host),
      ...(await examinePubSub(connection, configuration)),
    ]
  } finally {
    await connection.stop(2_000)
  }
}

/** A conflict is most often Waybill itself, running without an HTTP address where it could be asked. */
function unattached(error: Error): Examination {
  const held = error instanceof ConnectionRefused && error.reason === 'conflict'
  return { part: 'xmpp', verdict: held ? 'not asked' : 'wrong', detail: error.message }
}

async function tooLate(service: string): Promise<never> {
  await delay(ATTACH_MS + 2_000, undefined, { ref: false })
  throw new Error(`Cannot attach to ${service}: no answer within ${ATTACH_MS + 2_000} ms`)
}

async function askRunning({ settings }: Configuration): Promise<readonly Examination[] | undefined> {
  if (!settings.http || settings.http.listen.port === 0) return undefined
  const { host, port } = settings.http.listen
  const answer = await fetch(`http://${host}:${port}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(
    () => undefined,
  )
  if (!answer) return undefined
  const { parts } = (await answer.json()) as { parts: readonly { part: string; ready: boolean; reason: string }[] }
  return [
    ...parts.map(({ part, ready, reason }): Examination => {
      return { part: `running ${part}`, verdict: ready ? 'fine' : 'wrong', detail: reason || 'ready' }
    }),
    { part: 'pubsub', verdict: 'not asked', detail: 'Waybill is running: its own connection is not disturbed' },
  ]
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
