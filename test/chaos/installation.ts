import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { stringify } from 'yaml'
import { keyPrefix } from '../../src/redis/keys.ts'
import { removeFolder, serverFolder } from '../servers/processes.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { type RunningXmppServer, startXmppServer } from '../servers/xmpp.ts'
import { type Component, openComponent } from './component.ts'
import { type Link, openLink } from './link.ts'
import { createNodes } from './nodes.ts'
import { startWaybills, type Waybills } from './waybills.ts'
import { DOCUMENT_TYPE, PUBSUB, routesAndPolicies, SCHEMA, SOURCE_NODE } from './ways.ts'

export type ServerKind = RunningXmppServer['kind']

/** Real servers, links to them that can be broken, and two Waybill processes behind the links. */
export interface Installation {
  readonly kind: ServerKind
  readonly folder: string
  readonly prefix: string
  readonly redis: RunningRedis
  readonly server: RunningXmppServer
  readonly toServer: Link
  readonly toRedis: Link
  readonly waybills: Waybills
  /** To Redis itself, past the link. A command fails within two seconds where Redis doesn't answer. */
  readonly client: Redis
  readonly peer: Component
  readonly other: Component
  /** When the server was killed, and when it was back. */
  readonly serverDeaths: { readonly fromMs: number; untilMs: number }[]
  stop(): Promise<void>
}

export interface Listeners {
  peer(stanza: string): void
  other(stanza: string): void
}

export async function openInstallation(kind: ServerKind, listeners: Listeners): Promise<Installation> {
  const [redis, server] = await Promise.all([startRedis({ config: { appendfsync: 'always' } }), startXmppServer(kind)])
  const entry = server.component('waybill')
  await createNodes(server)
  const toServer = await openLink(entry.port, { carriesStanzas: true })
  const toRedis = await openLink(redis.port)
  const [peer, other] = await Promise.all([
    openComponent(server.component('peer'), listeners.peer),
    openComponent(server.component('other'), listeners.other),
  ])
  const prefix = 'chaos'
  const folder = serverFolder('chaos')
  writeConfiguration(folder, {
    xmpp: {
      service: `xmpp://127.0.0.1:${toServer.port}`,
      domain: entry.domain,
      host: server.domain,
      secret: entry.secret,
    },
    redis: { url: `redis://127.0.0.1:${toRedis.port}`, prefix, durability: 'fsync' },
    http: { listen: '127.0.0.1:0' },
    senders: ['*@peer.example.test', PUBSUB],
    subscriptions: [{ pubsub: PUBSUB, node: SOURCE_NODE }],
    limits: { perSender: { perMinute: 1_000_000, waiting: 100_000 } },
  })
  const client = new Redis(redis.url, { commandTimeout: 2_000, maxRetriesPerRequest: 1 })
  client.on('error', () => {})
  const waybills = startWaybills(folder, () => heldBy(client, prefix))
  return {
    kind,
    folder,
    prefix,
    redis,
    server,
    toServer,
    toRedis,
    waybills,
    client,
    peer,
    other,
    serverDeaths: [],
    async stop() {
      await waybills.stop()
      for (const one of [toServer, toRedis, peer, other]) one.close()
      client.disconnect()
      await Promise.all([server.stop(), redis.stop()])
      removeFolder(folder)
    },
  }
}

function writeConfiguration(folder: string, settings: object): void {
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
  const kinds = [DOCUMENT_TYPE, ...routesAndPolicies()]
  for (const name of ['types', 'schemas']) mkdirSync(join(folder, name))
  write('waybill.yaml', stringify(settings))
  write('types/parcel.yaml', kinds.map((one) => stringify(one)).join('---\n'))
  write('schemas/parcel.xsd', SCHEMA)
}

async function heldBy(client: Redis, prefix: string): Promise<string | undefined> {
  try {
    const [lease] = await client.keys(`${keyPrefix(prefix)}lease:*`)
    return lease === undefined ? undefined : ((await client.hget(lease, 'holder')) ?? undefined)
  } catch {
    return undefined
  }
}
