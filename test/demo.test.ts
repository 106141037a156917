import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startRedis } from './servers/redis.ts'
import { startXmppServer } from './servers/xmpp.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const ACCOUNTS = ['backend', 'erp', 'sensor', 'operator']

describe('npm start -- --exit', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'waybill-demo-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('starts the servers, gives every document its declared outcome, and leaves no process', async () => {
    const first = await demo(folder)
    expect(first, first.stdout + first.stderr).toMatchObject({ code: 0 })
    expect(first.stdout).toContain('Every document had the outcome that was declared for it.')
    expect(outcomes(first.stdout).length).toBeGreaterThanOrEqual(14)
    expect(new Set(outcomes(first.stdout))).toEqual(new Set(['ok']))
    expect(processesOf(folder)).toEqual([])
    for (const file of ['settings.json', 'config/waybill.yaml']) {
      expect(statSync(join(folder, file)).mode & 0o077, file).toBe(0)
    }
  })

  it('runs once in a folder, whoever else is started in the same moment', async () => {
    const both = await Promise.all([demo(folder), demo(folder)])
    expect(both.map(({ code }) => code).sort()).toEqual([0, 3])
    expect(both.find(({ code }) => code === 3)?.stderr).toMatch(/^The demo runs already in \S+: process \d+\./m)
  })

  it('is plain text where nobody watches, and begins again on what it kept', async () => {
    const second = await demo(folder)
    expect(second, second.stdout + second.stderr).toMatchObject({ code: 0 })
    expect(second.stdout).not.toContain('\u001b')
  })
})

describe.each(['prosody', 'ejabberd'] as const)('npm start -- --exit with servers that are there: %s', (kind) => {
  it('uses them, starts none of its own, and leaves them running', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'waybill-demo-'))
    const [redis, server] = await Promise.all([startRedis(), startXmppServer(kind)])
    for (const name of ACCOUNTS) await server.addUser(name, 'geheim')
    const { domain, port, secret } = server.component('waybill')
    const result = await demo(folder, {
      WAYBILL_REDIS_URL: redis.url,
      WAYBILL_XMPP_SERVICE: `xmpp://127.0.0.1:${port}`,
      WAYBILL_XMPP_DOMAIN: domain,
      WAYBILL_XMPP_HOST: server.domain,
      WAYBILL_XMPP_SECRET: secret,
      WAYBILL_DEMO_PASSWORD: 'geheim',
      WAYBILL_DEMO_CLIENT_SERVICE: `xmpp://127.0.0.1:${server.clientPort}`,
    })
    expect(result, result.stdout + result.stderr).toMatchObject({ code: 0 })
    expect(() => process.kill(redis.pid, 0)).not.toThrow()
    expect(() => process.kill(server.pid, 0)).not.toThrow()
    await Promise.all([redis.stop(), server.stop()])
    rmSync(folder, { recursive: true, force: true })
  })
})

interface Result {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function demo(folder: string, environment: Readonly<Record<string, string>> = {}): Promise<Result> {
  const script = join(root, 'deploy/demo/start.mjs')
  const env = { ...process.env, WAYBILL_DEMO_FOLDER: folder, ...environment }
  return new Promise((resolve) => {
    execFile(process.execPath, [script, '--exit'], { env, cwd: root }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr })
    })
  })
}

/** The mark of each line of the view. */
function outcomes(view: string): string[] {
  return [...view.matchAll(/^ ?\d+ (ok|!!) {2}/gm)].map(([, mark]) => mark!)
}

/** Of the processes that wrote their ids into the logs, those that are alive. */
function processesOf(folder: string): number[] {
  const logs = ['redis', 'prosody', 'waybill'].map((name) => readFileSync(join(folder, 'logs', `${name}.log`), 'utf8'))
  const ids = [...logs.join('\n').matchAll(/pid[=":]+(\d+)/g)].map(([, id]) => Number(id))
  // Prosody writes no id, but stands with its configuration in the list of processes.
  const listed = execFileSync('ps', ['-A', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n')
  const named = listed.filter((line) => line.includes(folder)).map((line) => Number.parseInt(line, 10))
  expect(new Set(ids).size).toBeGreaterThanOrEqual(2)
  return [...new Set([...ids.filter(isAlive), ...named])]
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
