import { readFileSync } from 'node:fs'
import { createConnection, isIP, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls'
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis'
import { isLoopback } from '../domain/loopback.ts'
import { type Credentials, isFound, isSecure, loginOf, type Place, placeOf, type RedisAddress } from './address.ts'
import { keyPrefix } from './keys.ts'

/** How long one sentinel or node may take to say which server it is. */
const ASKED_MS = 2_000
const DISCONNECT_MS = 2_000

type Connector = NonNullable<RedisOptions['Connector']>

/**
 * ioredis's way to a server: before each connection it is found out anew which one holds the shard, and one that is a replica by then is
 * left again. One plain connection, also to a Cluster: all keys of a shard are in one slot, and WAIT asks for the writes of its own
 * connection alone (docs/adr/0016).
 */
export function primaryConnector(address: RedisAddress): Connector {
  const find = finderOf(address)
  const isAsked = isFound(address)

  class PrimaryConnector extends AbstractConnector {
    readonly #again: RedisOptions['retryStrategy']

    constructor(options: unknown) {
      super(DISCONNECT_MS)
      this.#again = (options as RedisOptions).retryStrategy
    }

    // Must not throw while the connection is wanted: ioredis would never try again.
    override async connect(emit: (type: string, error: Error) => void): Promise<Socket | TLSSocket> {
      this.connecting = true
      for (let times = 1; this.connecting; times++) {
        try {
          const place = await find()
          if (this.connecting) return this.#open(place)
        } catch (error) {
          emit('error', error as Error)
          const pauseMs = this.#again?.(times)
          if (typeof pauseMs !== 'number') break
          await delay(pauseMs)
        }
      }
      throw new Error('Connection is closed.')
    }

    #open(place: Place): Socket | TLSSocket {
      const stream = openStream(place, address)
      stream.once('error', (error: Error) => {
        this.firstError = error
      })
      this.stream = stream
      return stream
    }

    override check({ role }: { role?: string }): boolean {
      return !isAsked || role === undefined || role === 'master'
    }
  }
  return PrimaryConnector
}

type Find = () => Promise<Place>

function finderOf(address: RedisAddress): Find {
  const { sentinels, cluster, url } = address
  if (sentinels) return sentinelFinder(address, sentinels)
  if (cluster) return clusterFinder(address, cluster)
  return async () => placeOf(url)
}

function sentinelFinder(address: RedisAddress, sentinels: NonNullable<RedisAddress['sentinels']>): Find {
  const { name, places } = sentinels
  return firstAnswer(`the primary ${name}`, places, async (place) => {
    const found = await asking(place, address, sentinels, (client) => {
      return client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name) as Promise<[string, string] | null>
    })
    if (!found) throw new Error(`the sentinel ${show(place)} knows no ${name}`)
    return { primary: { host: found[0], port: Number(found[1]) }, others: [] }
  })
}

type SlotRange = readonly [first: number, last: number, primary: readonly [host: string | null, port: number]]

function clusterFinder(address: RedisAddress, nodes: readonly Place[]): Find {
  const keys = keyPrefix(address.prefix, address.shard)
  return firstAnswer(`the node that holds ${keys}`, nodes, async (place) => {
    const [slot, ranges] = await asking(place, address, loginOf(address), async (client) => [
      (await client.call('CLUSTER', 'KEYSLOT', keys)) as number,
      (await client.call('CLUSTER', 'SLOTS')) as readonly SlotRange[],
    ])
    const placed = ranges.map(([first, last, [host, port]]) => ({ first, last, host: host || place.host, port }))
    const holder = placed.find(({ first, last }) => first <= slot && slot <= last)
    if (!holder) throw new Error(`no node of the cluster holds slot ${slot}`)
    return { primary: holder, others: placed }
  })
}

interface Answer {
  readonly primary: Place
  /** Who can be asked as well. */
  readonly others: readonly Place[]
}

/** Asks one after the other; the one that answered last is asked first, and those that it knows after those that are configured. */
function firstAnswer(what: string, configured: readonly Place[], ask: (place: Place) => Promise<Answer>): Find {
  let known: readonly Place[] = []
  let first: Place | undefined
  return async () => {
    const places = new Map([...(first ? [first] : []), ...configured, ...known].map((place) => [show(place), place]))
    const reasons: string[] = []
    for (const place of places.values()) {
      try {
        const { primary, others } = await ask(place)
        first = place
        known = others
        return primary
      } catch (error) {
        reasons.push(`${show(place)}: ${(error as Error).message}`)
      }
    }
    throw new Error(`Cannot find ${what}: ${reasons.join('; ')}`)
  }
}

async function asking<T>(
  place: Place,
  address: RedisAddress,
  { user, password }: Credentials,
  look: (client: Redis) => Promise<T>,
): Promise<T> {
  class StraightConnector extends AbstractConnector {
    constructor() {
      super(DISCONNECT_MS)
    }
    override async connect() {
      this.stream = openStream(place, address)
      return this.stream as Socket
    }
  }
  const client = new Redis({
    Connector: StraightConnector,
    ...(isSecure(address) && { tls: {} }),
    ...(user && { username: user }),
    ...(password && { password }),
    lazyConnect: true,
    enableReadyCheck: false,
    disableClientInfo: true,
    connectTimeout: ASKED_MS,
    commandTimeout: ASKED_MS,
    retryStrategy: () => null,
  })
  let reason: Error | undefined
  client.on('error', (error: Error) => {
    reason ??= error
  })
  try {
    await client.connect()
    return await look(client)
  } catch (error) {
    throw reason ?? error
  } finally {
    client.disconnect()
  }
}

/** Throws where it would be in clear beyond this machine. */
function openStream(place: Place, address: RedisAddress): Socket | TLSSocket {
  if (isSecure(address)) return tlsConnect(tlsOptions(place, address))
  if (!address.insecure && !isLoopback(place.host)) {
    throw new Error(`Cannot connect to ${show(place)}: plain TCP beyond loopback needs TLS, or redis.insecure: true`)
  }
  return createConnection(place)
}

function tlsOptions({ host, port }: Place, { tls = {} }: RedisAddress): ConnectionOptions {
  const { ca, cert, key, servername = isIP(host) ? undefined : host } = tls
  return {
    host,
    port,
    ...(servername !== undefined && { servername }),
    ...(ca !== undefined && { ca: readFileSync(ca) }),
    ...(cert !== undefined && { cert: readFileSync(cert) }),
    ...(key !== undefined && { key: readFileSync(key) }),
  }
}

function show({ host, port }: Place): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
