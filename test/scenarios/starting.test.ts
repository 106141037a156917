import { type ChildProcess, spawn } from 'node:child_process'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { eventually } from '../eventually.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { scenarioFolder } from './folder.ts'

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

describe('a start that waits for its XMPP server', () => {
  let redis: RunningRedis
  /** A server that is there and isn't: it hangs up on everybody. */
  let absent: Server
  let folder = ''
  let hungUp = 0
  beforeAll(async () => {
    redis = await startRedis()
    absent = createServer((socket) => {
      hungUp++
      socket.on('error', () => {})
      socket.destroy()
    })
    await new Promise<void>((resolve) => absent.listen(0, '127.0.0.1', resolve))
    const { port } = absent.address() as AddressInfo
    const settings = {
      xmpp: { service: `xmpp://127.0.0.1:${port}`, domain: 'waybill.example.test', host: 'example.test', secret: 's' },
      redis: { url: redis.url },
      http: { listen: '127.0.0.1:0' },
      senders: ['*@example.test'],
    }
    folder = scenarioFolder({ 'waybill.yaml': stringify(settings) })
  })
  afterAll(async () => {
    absent.close()
    await redis.stop()
  })

  interface Starting {
    readonly child: ChildProcess
    readonly ended: Promise<number | NodeJS.Signals | null>
    /** Its log so far. */
    readonly log: () => string
  }

  async function starting(): Promise<Starting> {
    const before = hungUp
    const child = spawn(process.execPath, [CLI, 'run', folder], { stdio: ['ignore', 'ignore', 'pipe'] })
    let log = ''
    child.stderr!.on('data', (chunk) => (log += chunk))
    const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? code))
    })
    await eventually(() => hungUp > before, { what: 'the first try to attach' })
    return { child, ended, log: () => log }
  }

  it.each(['SIGTERM', 'SIGINT'] as const)('is ended by %s at once, with exit code 0', async (signal) => {
    const { child, ended } = await starting()
    const late = setTimeout(() => child.kill('SIGKILL'), 8_000)
    child.kill(signal)
    expect(await ended).toBe(0)
    clearTimeout(late)
  })

  it('is not ended by SIGHUP, which has the folder loaded again', async () => {
    const { child, ended, log } = await starting()
    const before = hungUp
    child.kill('SIGHUP')
    await eventually(() => hungUp > before + 1, { what: 'further tries to attach' })
    await eventually(() => log().includes('"reloaded"'), { what: 'the answer to SIGHUP' })
    expect(child.exitCode ?? child.signalCode).toBeNull()
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
  })
})
