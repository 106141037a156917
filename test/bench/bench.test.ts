import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'

const RUN = fileURLToPath(new URL('run.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'waybill-bench-'))
const TINY = ['--rounds', '1', '--seconds', '0.2', '--sizes', '1k', '--quick']

afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** The bench keeps its servers' data below the folder for temporary files: with one of its own, what is left behind shows. */
function bench(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, TMPDIR: folder }
    execFile(process.execPath, [RUN, ...args], { env, timeout: 170_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

interface Group {
  readonly situation: { readonly carriage: string; readonly to: string }
  readonly measurements: readonly {
    readonly peer: string
    readonly failure: string
    readonly throughput: { readonly sent: number; readonly arrived: number; readonly documentsPerSecond: number }
    readonly cpuMicroseconds: Readonly<Record<string, number>>
    readonly memoryMiB: Readonly<Record<string, number>>
  }[]
  readonly latencies: readonly {
    readonly peer: string
    readonly kind: string
    readonly failure: string
    readonly outcome: { readonly p50Ms: number }
  }[]
}

describe('the end-to-end benchmark', () => {
  for (const { server, options, peers } of [
    {
      server: 'prosody',
      options: ['--carriages', 'sealed', '--fan-outs', '3', '--targets', 'passing-node'],
      peers: ['raw', 'waybill 1000 routes'],
    },
    { server: 'ejabberd', options: [], peers: ['raw', 'naive', 'waybill 1000 routes'] },
  ]) {
    it(`carries every document through each peer on ${server}, and leaves nothing behind`, async () => {
      const file = join(folder, `${server}.json`)
      const { code, stdout, stderr } = await bench('e2e', '--servers', server, ...options, ...TINY, '--json', file)
      expect({ code, failed: /FAILED.*/.exec(stdout + stderr)?.[0] }, stderr).toEqual({ code: 0, failed: undefined })

      const { groups } = JSON.parse(readFileSync(file, 'utf8')) as { groups: Group[] }
      rmSync(file)
      expect(groups).toHaveLength(1)
      const { measurements, latencies } = groups[0]!
      expect(measurements.map(({ peer }) => peer)).toEqual(peers)
      for (const { failure, throughput, cpuMicroseconds, memoryMiB } of measurements) {
        expect(failure).toBe('')
        expect(throughput.sent).toBeGreaterThan(0)
        expect(throughput.arrived).toBe(throughput.sent)
        expect(throughput.documentsPerSecond).toBeGreaterThan(0)
        expect(cpuMicroseconds.server).toBeGreaterThan(0)
        expect(memoryMiB.peer).toBeGreaterThan(0)
      }
      // The fixed rate is left out where it is more than a peer carries.
      expect(latencies.filter(({ kind }) => kind === 'loaded').map(({ peer }) => peer)).toEqual(peers)
      for (const { failure, outcome } of latencies) {
        expect(failure).toBe('')
        expect(outcome.p50Ms).toBeGreaterThan(0)
      }
      // The watcher of the servers removes their folder a moment after they have ended.
      await eventually(() => readdirSync(folder).length === 0, { what: 'the folder for temporary files to be empty' })
    })
  }

  it('measures what order costs, and leaves nothing behind', async () => {
    const file = join(folder, 'order.json')
    const few = ['--documents', '20', '--stuck', '5', '--quick', '--json', file]
    const { code, stderr } = await bench('order', ...few)
    expect(code, stderr).toBe(0)
    const { summary } = JSON.parse(readFileSync(file, 'utf8')) as {
      summary: Readonly<Record<string, { readonly documentsPerSecond: number }>>
    }
    rmSync(file)
    expect(Object.keys(summary)).toEqual(['oneByMessage', 'oneByIq', 'others', 'besideStuck'])
    for (const { documentsPerSecond } of Object.values(summary)) expect(documentsPerSecond).toBeGreaterThan(0)
    await eventually(() => readdirSync(folder).length === 0, { what: 'the folder for temporary files to be empty' })
  })

  it('lets devices come back at once after a restart of the server, and misses the goal that was not measured', async () => {
    const file = join(folder, 'soak.json')
    const few = ['--server', 'prosody', '--parts', 'devices', '--devices', '30', '--minutes', '0.02', '--json', file]
    const { code, stdout, stderr } = await bench('soak', ...few, '--check')
    const { devices } = JSON.parse(readFileSync(file, 'utf8')) as {
      devices: { readonly burst: Readonly<Record<'readings' | 'acknowledged' | 'arrived', number>> }
    }
    rmSync(file)
    expect(devices.burst, stderr).toMatchObject({ readings: 30, acknowledged: 30, arrived: 30 })
    expect(code).toBe(1)
    expect(stdout.trim().split('\n').at(-1)).toMatch(
      /^goals missed: memory after 1000000 documents over that after 100000: -, wanted 1\.1 or less/,
    )
    await eventually(() => readdirSync(folder).length === 0, { what: 'the folder for temporary files to be empty' })
  })

  it.each([
    { args: [], code: 2, says: /NAME: e2e, match/ },
    { args: ['soak', '--parts', 'cpu'], code: 2, says: /"cpu" is none of memory,devices,waiting/ },
    { args: ['nonsense'], code: 2, says: /NAME: e2e, match/ },
    { args: ['e2e', '--help'], code: 0, says: /--rounds N/ },
    { args: ['e2e', '--fast'], code: 2, says: /Unknown option '--fast'/ },
    { args: ['e2e', '--servers', 'openfire'], code: 2, says: /"openfire" is none of prosody,ejabberd/ },
    { args: ['e2e', '--rounds', 'many'], code: 2, says: /"many" is no positive number/ },
    { args: ['e2e', '--fan-outs', '1,32'], code: 2, says: /"32" is no whole number from 1 to 31/ },
    { args: ['e2e', '--only', 'openfire'], code: 2, says: /"openfire" is in none of their titles/ },
  ])('answers $args with exit code $code', async ({ args, code, says }) => {
    const ended = await bench(...args)
    expect(ended.code).toBe(code)
    expect(ended.stdout + ended.stderr).toMatch(says)
  })
})
