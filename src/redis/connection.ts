import { Redis, type RedisOptions } from 'ioredis'
import { type Log, StoreUnavailable } from '../flow/ports.ts'
import { isSecure, loginOf, type RedisAddress } from './address.ts'
import { primaryConnector } from './primary.ts'

/** Without an answer for this long the connection is given up, and what was asked is answered with an error. */
export const SILENCE_MS = 2_000
/** How long a polite end of a connection may take. */
const CLOSING_MS = 1_000
/** A sender hears within this time, whatever befalls Redis. */
export const PATIENCE_MS = 5_000

type ConnectionOptions = Pick<
  RedisOptions,
  'autoResendUnfulfilledCommands' | 'enableOfflineQueue' | 'maxRetriesPerRequest' | 'retryStrategy' | 'socketTimeout'
>

/**
 * What every connection has: it comes back by itself, soon and for ever, to whichever server is the primary then, and never ends the
 * process with an 'error' event.
 */
export function connect(address: RedisAddress, name: string, log: Log, options: ConnectionOptions): Redis {
  const { user, password, database } = loginOf(address)
  const client = new Redis({
    Connector: primaryConnector(address),
    ...(isSecure(address) && { tls: {} }),
    ...(user !== undefined && { username: user }),
    ...(password !== undefined && { password }),
    db: database,
    connectionName: `waybill-${name}`,
    disableClientInfo: true,
    connectTimeout: SILENCE_MS,
    retryStrategy: comeBack,
    reconnectOnError: isElsewhere,
    ...options,
  })
  // Every call that waits for the connection listens to it. Not 0, which means the same: BullMQ adds to it.
  client.setMaxListeners(Number.POSITIVE_INFINITY)
  const errors = tellOnce(log, 'redis-connection', { connection: name })
  client.on('error', errors.tell)
  client.on('ready', () => {
    errors.forget()
    log('debug', 'redis-ready', { connection: name })
  })
  return client
}

/** The server isn't the primary of our keys, or is it no more: it has done nothing, and which one it is has to be found out. */
export function isElsewhere({ message }: Error): boolean {
  return /^(READONLY|MOVED|UNBLOCKED)\b/.test(message)
}

/** ioredis's retryStrategy: how long to wait before the connection is tried for again. */
export function comeBack(times: number): number {
  return Math.min(50 * times, 500)
}

/** One line for each cause, not one for each try. */
export function tellOnce(log: Log, event: string, details: Readonly<Record<string, unknown>> = {}) {
  let told = ''
  return {
    tell(error: Error): void {
      const text = describe(error)
      if (told !== text) log('warn', event, { ...details, error: text })
      told = text
    },
    forget(): void {
      told = ''
    },
  }
}

/** A connection whose commands fail at once when it is lost or silent, instead of waiting for the next one. */
export function connectImpatient(address: RedisAddress, name: string, log: Log): Redis {
  return connect(address, name, log, {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    socketTimeout: SILENCE_MS,
  })
}

/** No waiting helps. */
const NOT_ALLOWED = /\b(NOAUTH|WRONGPASS|NOPERM|certificate|ENOENT|EACCES)\b/

/**
 * Waits until the connection can be used. Throws {@link StoreUnavailable} at the deadline, or when it was ended for good.
 *
 * @param waitsForRefused False: a server that refuses the connection isn't waited for.
 */
export async function whenReady(client: Redis, deadlineMs: number, waitsForRefused = true): Promise<void> {
  if (client.status === 'ready') return
  if (client.status === 'end') throw new StoreUnavailable('Cannot ask Redis: the connection was ended')
  let lastError = ''
  await new Promise<void>((resolve, reject) => {
    const settle = (error?: StoreUnavailable) => {
      clearTimeout(timer)
      client.off('ready', onReady).off('end', onEnd).off('error', onError)
      if (error) reject(error)
      else resolve()
    }
    const onReady = () => settle()
    const onEnd = () => settle(new StoreUnavailable(`Cannot ask Redis: the connection was ended${lastError}`))
    const onError = (error: Error) => {
      lastError = ` (${describe(error)})`
      if (NOT_ALLOWED.test(error.message)) settle(new StoreUnavailable(`Cannot ask Redis: ${error.message}`))
      if (!waitsForRefused && isRefusal(error)) settle(new StoreUnavailable(`Cannot ask Redis: ${refusalOf(error)}`))
    }
    const timer = setTimeout(
      () => settle(new StoreUnavailable(`Cannot ask Redis: no connection in time${lastError}`)),
      Math.max(0, deadlineMs - Date.now()),
    )
    client.on('ready', onReady).on('end', onEnd).on('error', onError)
  })
}

/** Of the system; where a name has several addresses, of all of them. */
interface Refusal extends Error {
  readonly code: 'ECONNREFUSED'
  readonly address?: string
  readonly port?: number
  readonly errors?: readonly Refusal[]
}

function isRefusal(error: Error): error is Refusal {
  return (error as Partial<Refusal>).code === 'ECONNREFUSED'
}

function refusalOf({ address, port, errors }: Refusal): string {
  if (errors) return errors.map(refusalOf).join('; ')
  const host = address?.includes(':') ? `[${address}]` : address
  return `${host}:${port} refuses connections (ECONNREFUSED)`
}

/** Ends a connection: politely where it can be done soon, and at once otherwise. */
export async function disconnect(client: Redis): Promise<void> {
  if (client.status === 'ready') await soon(client.quit())
  client.disconnect()
}

/** Waits for something to end politely, but not for long. */
export async function soon(ending: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSING_MS)
  })
  await Promise.race([ending.catch(() => undefined), late])
  clearTimeout(timer)
}

/** The text of an error, for a log: some have a code and no message. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Its own words are of an option that nobody knows.
  if (error.name === 'MaxRetriesPerRequestError') return 'the connection was lost before there was an answer'
  const { code } = error as { code?: string }
  return error.message || code || error.name
}
