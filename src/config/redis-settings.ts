import { resolve } from 'node:path'
import { isLoopback } from '../domain/loopback.ts'
import { type Address, parseListenAddress } from './formats.ts'
import type { Waybill } from './kinds.ts'
import type { Complain, Path } from './problem.ts'

/** Where the truth lives, and what is asked of it. */
export interface RedisSettings {
  readonly url: string
  readonly prefix: string
  readonly durability: 'memory' | 'everysec' | 'fsync'
  readonly replicas: number
  readonly user?: string
  readonly password?: string
  /** Instead of `url`. */
  readonly sentinels?: {
    readonly name: string
    readonly places: readonly Address[]
    readonly user?: string
    readonly password?: string
  }
  /** Instead of `url`. */
  readonly cluster?: readonly Address[]
  /** The files are absolute paths. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly servername?: string }
  /** Plain TCP beyond loopback is allowed. */
  readonly insecure: boolean
}

export function readRedis({ sentinels, cluster, tls, ...redis }: Waybill['redis'], folder: string): RedisSettings {
  return {
    ...redis,
    ...(sentinels && { sentinels: readSentinels(sentinels) }),
    ...(cluster && { cluster: cluster.map((address) => parseListenAddress(address)!) }),
    ...(tls && { tls: readTls(tls, folder) }),
  }
}

function readSentinels({
  addresses,
  ...sentinels
}: NonNullable<Waybill['redis']['sentinels']>): NonNullable<RedisSettings['sentinels']> {
  return { ...sentinels, places: addresses.map((address) => parseListenAddress(address)!) }
}

function readTls(
  { ca, cert, key, servername }: NonNullable<Waybill['redis']['tls']>,
  folder: string,
): NonNullable<RedisSettings['tls']> {
  return {
    ...(ca !== undefined && { ca: resolve(folder, ca) }),
    ...(cert !== undefined && { cert: resolve(folder, cert) }),
    ...(key !== undefined && { key: resolve(folder, key) }),
    ...(servername !== undefined && { servername }),
  }
}

/** What is filled in where no address is given. */
const DEFAULT_URL = 'redis://127.0.0.1:6379'

export function complainOfRedis(redis: RedisSettings, complain: Complain): void {
  const { url, sentinels, cluster, tls } = redis
  const named = [
    ...(url === DEFAULT_URL ? [] : ['url']),
    ...(sentinels ? ['sentinels'] : []),
    ...(cluster ? ['cluster'] : []),
  ]
  if (named.length > 1) {
    const message = `redis names ${named.join(' and ')}: only one of url (or WAYBILL_REDIS_URL), sentinels and cluster can say where Redis is`
    complain('choose-one', ['redis', named.at(-1)!], message)
  }
  if ((tls?.cert === undefined) !== (tls?.key === undefined)) {
    complain('missing-key', ['redis', 'tls'], 'redis.tls must name cert and key together')
  }
  complainOfPlainRedis(redis, complain)
}

function complainOfPlainRedis({ url, sentinels, cluster, tls, insecure }: RedisSettings, complain: Complain): void {
  if (tls || insecure) return
  const refuse = (path: Path, host: string) => {
    const message = `Cannot connect to ${host}: Redis without TLS beyond loopback needs redis.tls, a rediss address, or redis.insecure: true`
    complain('insecure-redis', ['redis', ...path], message)
  }
  const far = (places: readonly Address[]) => places.findIndex(({ host }) => !isLoopback(host))
  if (sentinels) {
    const at = far(sentinels.places)
    if (at >= 0) refuse(['sentinels', 'addresses', at], sentinels.places[at]!.host)
  } else if (cluster) {
    const at = far(cluster)
    if (at >= 0) refuse(['cluster', at], cluster[at]!.host)
  } else {
    const { protocol, hostname } = new URL(url)
    const host = hostname.replace(/^\[|\]$/g, '')
    if (protocol === 'redis:' && !isLoopback(host)) refuse(['url'], host)
  }
}
