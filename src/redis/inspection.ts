import type { Redis } from 'ioredis'

export type Durability = 'memory' | 'everysec' | 'fsync'

/** What Redis says of itself. Undefined: it doesn't tell (a hosted Redis may refuse CONFIG). */
export interface RedisInspection {
  readonly version: string
  readonly appendonly: string | undefined
  readonly appendfsync: string | undefined
  readonly maxmemoryPolicy: string | undefined
  /** Bytes; 0 is no limit. */
  readonly maxmemory: number | undefined
  /** Bytes. */
  readonly usedMemory: number
  /** That are attached, and have all but the latest of what was written. */
  readonly replicas: number
  /** How far Redis's clock is ahead of ours. */
  readonly clockSkewMs: number
}

export async function inspectRedis(client: Redis): Promise<RedisInspection> {
  const info = await client.info()
  const settings = await readSettings(client)
  const maxmemory = settings.get('maxmemory') ?? infoField(info, 'maxmemory')
  return {
    version: infoField(info, 'redis_version') ?? 'unknown',
    appendonly: settings.get('appendonly'),
    appendfsync: settings.get('appendfsync'),
    maxmemoryPolicy: settings.get('maxmemory-policy') ?? infoField(info, 'maxmemory_policy'),
    maxmemory: maxmemory === undefined ? undefined : Number(maxmemory),
    usedMemory: Number(infoField(info, 'used_memory') ?? 0),
    replicas: [...info.matchAll(/^slave\d+:.*\bstate=online\b/gm)].length,
    clockSkewMs: await clockSkewMs(client),
  }
}

async function readSettings(client: Redis): Promise<ReadonlyMap<string, string>> {
  const settings = new Map<string, string>()
  for (const name of ['appendonly', 'appendfsync', 'maxmemory-policy', 'maxmemory']) {
    // Refused or renamed away: the setting stays unknown, which durabilityProblems() names.
    const reply = (await client.config('GET', name).catch(() => [])) as string[]
    if (reply[1] !== undefined) settings.set(name, reply[1])
  }
  return settings
}

function infoField(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1]
}

async function clockSkewMs(client: Redis): Promise<number> {
  const beforeMs = Date.now()
  const [seconds, microseconds] = await client.time()
  const afterMs = Date.now()
  return Math.round(Number(seconds) * 1000 + Number(microseconds) / 1000 - (beforeMs + afterMs) / 2)
}

/** WAITAOF came with Redis 7.2. */
export function hasWaitAof(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 7 || (major === 7 && minor >= 2)
}
