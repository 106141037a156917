import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { typeKey } from '../domain/document-type.ts'
import type { RegisteredVersion, RegistryAnswer, RegistryChange, RegistryState } from '../domain/registration.ts'
import type { Log, Registry } from '../flow/ports.ts'
import type { RedisAddress } from './address.ts'
import { ask, type Call } from './calls.ts'
import { connect, describe, tellOnce } from './connection.ts'
import { keyPrefix } from './keys.ts'

/** Versions that were registered at run time: changed by register.lua alone, which numbers the changes. */
export function createRegistry(call: Call, client: Redis, prefix: string, confirm: () => Promise<void>): Registry {
  return {
    async read() {
      const reply = await ask('registry', client, () =>
        client.multi().get(`${prefix}registration`).hvals(`${prefix}registry`).exec(),
      )
      const [[, sequence], [, records]] = reply as [[null, string | null], [null, string[]]]
      return stateOf(Number(sequence ?? 0), records)
    },

    bundle(digest) {
      return ask('registry', client, async () => (await client.getBuffer(`${prefix}bundle:${digest}`)) ?? undefined)
    },

    async change(change, expected, by): Promise<RegistryAnswer> {
      const { kind, name, version } = change
      const bundle = kind === 'register' ? Buffer.from(change.bundle) : ''
      const args = [kind, typeKey(change), expected, by, saidBy(change), name, version, bundle]
      const reply = await call('register', args, { repeatable: kind === 'register', confirm })
      const [outcome, sequence] = reply as [Buffer, number]
      const said = String(outcome) as RegistryAnswer['kind']
      return said === 'done' ? { kind: 'done', sequence } : { kind: said }
    },
  }
}

/** What the change says of the version. */
function saidBy(change: RegistryChange): string {
  switch (change.kind) {
    case 'register':
      return change.digest
    case 'deprecate':
      return change.text
    case 'remove':
      return ''
  }
}

function stateOf(sequence: number, records: readonly string[]): RegistryState {
  const versions = records.map((record) => JSON.parse(record) as RegisteredVersion)
  return { sequence, versions: versions.sort((one, other) => one.sequence - other.sequence) }
}

export interface Following {
  stop(): Promise<void>
}

export interface FollowOptions extends RedisAddress {
  readonly log: Log
  /** What is known already: it is told of what comes after. */
  readonly after: number
  /** Called once for what has come, however much; it comes again where it throws. */
  readonly onChange: (sequence: number) => Promise<void>
}

const BLOCK_MS = 1_000
const AGAIN_MS = 500

/**
 * Tells of every change of the registry, at once, and after a time away of what came meanwhile: the changes stand in a stream, read from
 * where it was left. On a connection of its own, since it waits there.
 */
export function followRegistry(options: FollowOptions): Following {
  const { prefix, shard, log, after, onChange } = options
  const client = connect(options, 'registry', log, {
    enableOfflineQueue: true,
    autoResendUnfulfilledCommands: false,
    // With null, what was asked of a connection that is lost would never have an answer: neither would stop().
    maxRetriesPerRequest: 0,
    socketTimeout: 5 * BLOCK_MS,
  })
  const keys = keyPrefix(prefix, shard)
  let isOther = false
  client.on('ready', () => {
    isOther = true
  })
  const errors = tellOnce(log, 'registry-not-followed')
  const stopped = new AbortController()

  /** Each connection may be to a server that has not heard of the last changes: it numbers the next ones from there on. */
  async function startOver(from: number): Promise<number> {
    isOther = false
    try {
      const known = Number((await client.get(`${keys}registration`)) ?? 0)
      if (known < from) await onChange(known)
      return Math.min(from, known)
    } catch (error) {
      isOther = true
      throw error
    }
  }

  async function readOn(from: number): Promise<number> {
    const reply = await client.xread('BLOCK', BLOCK_MS, 'STREAMS', `${keys}registered`, `${from}-0`)
    const last = reply?.[0]?.[1].at(-1)?.[0]
    if (last === undefined) return from
    const sequence = Number(last.split('-')[0])
    await onChange(sequence)
    return sequence
  }

  async function loop(): Promise<void> {
    let at = after
    while (!stopped.signal.aborted) {
      try {
        if (isOther) at = await startOver(at)
        at = await readOn(at)
        errors.forget()
      } catch (error) {
        if (stopped.signal.aborted) return
        errors.tell(error instanceof Error ? error : new Error(describe(error)))
        await delay(AGAIN_MS, undefined, { signal: stopped.signal }).catch(() => {})
      }
    }
  }

  const running = loop()
  return {
    async stop() {
      stopped.abort()
      client.disconnect()
      await running
    },
  }
}
