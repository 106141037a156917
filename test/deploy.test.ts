import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SaxesParser } from 'saxes'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { check } from '../src/commands/check.ts'
import { test as testRoutes } from '../src/commands/test.ts'
import { createMetrics } from '../src/http/metrics.ts'
import { connectRawComponent } from './servers/raw-component.ts'
import { startRedis } from './servers/redis.ts'
import { startXmppServer } from './servers/xmpp.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const deploy = join(root, 'deploy')
const read = (name: string) => readFileSync(join(deploy, name), 'utf8')
const yaml = (name: string) => parse(read(name))

describe('redis.conf', () => {
  it('makes a Redis that appends every write, evicts nothing and keeps no snapshots', async () => {
    const redis = await startRedis()
    const say = (name: string) =>
      execFileSync('redis-cli', ['-p', String(redis.port), 'CONFIG', 'GET', name], { encoding: 'utf8' }).split('\n')[1]
    expect(say('appendonly')).toBe('yes')
    expect(say('appendfsync')).toBe('everysec')
    expect(say('maxmemory-policy')).toBe('noeviction')
    expect(say('save')).toBe('')
    expect(say('no-appendfsync-on-rewrite')).toBe('no')
    await redis.stop()
  })
})

describe.each(['prosody', 'ejabberd'] as const)('the entry for %s', (kind) => {
  it('lets Waybill send the largest stanza that it promises, and nobody else create nodes', async () => {
    const server = await startXmppServer(kind)
    const waybill = await connectRawComponent(server.component('waybill'))
    const peer = await connectRawComponent(server.component('peer'))
    const text = 'x'.repeat(262_144 - 200)
    waybill.send(`<message from='waybill.example.test' to='peer.example.test'><body>${text}</body></message>`)
    expect((await peer.next((stanza) => stanza.startsWith('<message'))).length).toBeGreaterThan(text.length)
    peer.send(`<iq type='set' id='c' from='peer.example.test' to='${server.pubsub}'>
      <pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='foreign'/></pubsub></iq>`)
    expect(await peer.next((stanza) => stanza.startsWith('<iq'))).toMatch(/type=['"]error['"][\s\S]*<forbidden/)
    waybill.close()
    peer.close()
    await server.stop()
  })

  it('has room for further domains, which share port and secret, each with its own stanzas', async () => {
    const server = await startXmppServer(kind, { components: ['waybill2'] })
    const entry = server.component('waybill2')
    expect(entry).toEqual({ ...server.component('waybill'), domain: 'waybill2.example.test' })
    const [first, second] = await Promise.all([
      connectRawComponent(server.component('waybill')),
      connectRawComponent(entry),
    ])
    for (const number of [1, 2, 3, 4]) {
      first.send(`<message from='waybill.example.test' to='${entry.domain}' id='m${number}'/>`)
      expect(await second.next((stanza) => stanza.startsWith('<message'))).toContain(`m${number}`)
    }
    expect(first.received).toEqual([])
    first.close()
    second.close()
    await server.stop()
  })
})

describe('the entry for Prosody', () => {
  it('has each stanza go out at once, in the one table of network settings that there is', () => {
    const settings = [read('prosody/waybill.cfg.lua'), read('compose/prosody.cfg.lua')].join('\n')
    expect(settings.match(/^network_settings.*$/gm)).toEqual(['network_settings = { nagle = false }'])
  })
})

describe('the entry for jabberd2', () => {
  it('is XML that names loopback, the port and a secret to be replaced', () => {
    const parser = new SaxesParser({ xmlns: true })
    const texts: Record<string, string> = {}
    let name = ''
    parser.on('opentag', (tag) => {
      name = tag.local
    })
    parser.on('text', (text) => {
      if (text.trim() !== '') texts[name] = text.trim()
    })
    parser.write(read('jabberd2/router.xml')).close()
    expect(texts).toEqual({ ip: '127.0.0.1', port: '5347', secret: 'REPLACE-WITH-A-SECRET' })
  })
})

describe('the systemd unit', () => {
  const unit = join(deploy, 'systemd/waybill.service')

  it('runs the command, reloads by SIGHUP, leaves time to finish and gives up on a broken configuration', () => {
    const text = readFileSync(unit, 'utf8')
    expect(text).toMatch(/^ExecStart=\S+node \S+\/dist\/cli\.js run \/etc\/waybill$/m)
    expect(text).toMatch(/^ExecReload=\/bin\/kill -HUP \$MAINPID$/m)
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(text)?.[1])).toBeGreaterThan(10)
    expect(text).toMatch(/^RestartPreventExitStatus=1 2$/m)
    for (const setting of [
      'NoNewPrivileges=yes',
      'ProtectSystem=strict',
      'CapabilityBoundingSet=',
      'PrivateDevices=yes',
    ]) {
      expect(text.split('\n')).toContain(setting)
    }
  })

  it.runIf(existsSync('/usr/bin/systemd-analyze'))('is hardened in the judgement of systemd', () => {
    const report = execFileSync('systemd-analyze', ['security', '--offline=true', '--no-pager', unit], {
      encoding: 'utf8',
    })
    expect(Number(/exposure level for waybill\.service: ([\d.]+)/.exec(report)?.[1])).toBeLessThan(2)
  })
})

describe('compose.yaml', () => {
  const compose = yaml('compose.yaml')

  it('keeps the links to the server and to Redis on loopback by a shared network', () => {
    expect(compose.services.waybill.network_mode).toBe('service:prosody')
    expect(compose.services.waybill.environment.WAYBILL_XMPP_SERVICE).toBe('xmpp://127.0.0.1:5347')
    expect(compose.services.redis.network_mode).toBe('service:prosody')
    expect(compose.services.waybill.environment.WAYBILL_REDIS_URL).toBe('redis://127.0.0.1:6379')
    expect(read('compose/prosody.cfg.lua')).toContain('component_interfaces = { "127.0.0.1" }')
    expect(Object.keys(compose.services.waybill.environment)).not.toContain('WAYBILL_XMPP_INSECURE')
  })

  it('publishes no port beyond this machine and has no secret in it', () => {
    for (const service of Object.values<{ ports?: string[] }>(compose.services)) {
      for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/)
    }
    for (const name of ['WAYBILL_XMPP_SECRET', 'WAYBILL_HTTP_TOKEN']) {
      expect(compose.services.waybill.environment[name]).toMatch(/^\$\{\w+:\?/)
    }
  })

  it('mounts files that are there, the very ones that are tested here', () => {
    const volumes = Object.values<{ volumes?: string[] }>(compose.services).flatMap((service) => service.volumes ?? [])
    const files = volumes.flatMap((volume) => /^(\.\/[^:]+):/.exec(volume)?.[1] ?? [])
    expect(files).toContain('./redis.conf')
    expect(files).toContain('./prosody/waybill.cfg.lua')
    for (const file of files) expect(existsSync(join(deploy, file)), file).toBe(true)
  })

  it('serves the very host that the configuration of the demo is written for', () => {
    const [pattern] = yaml('demo/config/waybill.yaml').senders
    const hosts = [...read('compose.yaml').matchAll(/WAYBILL_XMPP_HOST:-([^}]+)\}/g)].map(([, host]) => host)
    expect(hosts.length).toBeGreaterThan(3)
    for (const host of hosts) expect(`*@${host}`).toBe(pattern)
    expect(read('compose/prosody.cfg.lua')).toContain(`ENV_WAYBILL_XMPP_HOST or "${hosts[0]}"`)
  })

  it('gives Waybill all variables that the configuration of the demo needs', () => {
    const needed = [...read('demo/config/waybill.yaml').matchAll(/\$\{(WAYBILL_\w+)\}/g)].map(([, name]) => name!)
    expect(needed.length).toBeGreaterThan(4)
    for (const name of needed) expect(Object.keys(compose.services.waybill.environment)).toContain(name)
  })
})

describe('the Dockerfile', () => {
  it('copies what is there, and what its ignore file lets through', () => {
    const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names]) =>
      names!.split(' '),
    )
    const kept = read('Dockerfile.dockerignore').split('\n')
    expect(copied.length).toBeGreaterThan(6)
    for (const name of copied) {
      expect(existsSync(join(root, name)), name).toBe(true)
      expect(kept).toContain(`!${name}`)
    }
  })

  it('runs as an ordinary user, and the command of the product', () => {
    expect(read('Dockerfile')).toMatch(/^USER node$/m)
    expect(read('Dockerfile')).toContain('ENTRYPOINT ["node", "dist/cli.js"]')
  })
})

describe('the alerts', () => {
  const rules: readonly { alert: string; expr: string }[] = yaml('prometheus/alerts.yml').groups[0].rules

  it('ask for metrics and labels that exist', () => {
    const depth = async () => ({ waiting: 0, underWay: 0, suspects: 0, held: 0, dead: 0, oldestDueMs: 0 })
    const { registry } = createMetrics({
      online: () => true,
      standby: () => false,
      openDestinations: () => 0,
      bytes: async () => ({}),
      depth,
    })
    const known = registry.getMetricsAsArray().map(({ name }) => name)
    for (const { alert, expr } of rules) {
      const names = [...expr.matchAll(/\bwaybill_\w+/g)].map(([name]) => name.replace(/_bucket$/, ''))
      expect(names.length + (expr.includes('up{') ? 1 : 0), alert).toBeGreaterThan(0)
      for (const name of names) expect(known, alert).toContain(name)
    }
  })

  it('cover a process, a connection, a Redis, a backlog, dead letters and rejections', () => {
    const all = rules.map(({ expr }) => expr).join('\n')
    for (const part of ['up{', 'xmpp_online', 'absent', 'waiting', 'state="dead"', 'rejected'])
      expect(all).toContain(part)
  })
})

describe('the configuration of the demo', () => {
  const config = join(deploy, 'demo/config')
  const lines: string[] = []
  const output = {
    format: 'table',
    print: (text: string) => lines.push(text),
    complain: (text: string) => lines.push(text),
  } as const

  beforeEach(() => {
    lines.length = 0
    vi.stubEnv('WAYBILL_XMPP_SERVICE', 'xmpp://127.0.0.1:5347')
    vi.stubEnv('WAYBILL_XMPP_DOMAIN', 'waybill.demo.localhost')
    vi.stubEnv('WAYBILL_XMPP_HOST', 'demo.localhost')
    vi.stubEnv('WAYBILL_XMPP_SECRET', 'secret')
    vi.stubEnv('WAYBILL_REDIS_URL', 'redis://127.0.0.1:6379')
    vi.stubEnv('WAYBILL_HTTP_TOKEN', 'token')
  })
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  it('has no problem, not even a warning', async () => {
    expect(await check(config, false, output)).toBe(0)
    expect(lines.join('\n')).toContain('0 warnings')
  })

  it('passes the tests of its routes, and every route has one', async () => {
    expect(await testRoutes(config, undefined, output)).toBe(0)
    for (const file of readdirSync(join(config, 'routes'))) {
      const documents = parseAllDocuments(readFileSync(join(config, 'routes', file), 'utf8')).map((one) => one.toJS())
      for (const { kind, name, tests, when } of documents) {
        if (kind === 'Route' && when.type !== 'opaque') expect(tests, name).toBeInstanceOf(Array)
      }
    }
  })
})
