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

interface Cell {
  readonly peer: string
  readonly failure: string
  readonly throughput: { readonly sent: number; readonly arrived: number; readonly documentsPerSecond: number }
  readonly latency: { readonly sent: number; readonly arrived: number; readonly p50Ms: number }
  readonly cpuMicroseconds: Readonly<Record<string, number>>
}

describe('the end-to-end benchmark', () => {
  for (const server of ['prosody', 'ejabberd']) {
    it(`carries every document through each peer on ${server}, and leaves nothing behind`, async () => {
      const file = join(folder, `${server}.json`)
      const { code, stdout, stderr } = await bench('e2e', '--servers', server, ...TINY, '--json', file)
      expect({ code, failed: /FAILED.*/.exec(stdout + stderr)?.[0] }, stderr).toEqual({ code: 0, failed: undefined })

      const { cells } = JSON.parse(readFileSync(file, 'utf8')) as { cells: Cell[] }
      rmSync(file)
      expect(cells.map(({ peer }) => peer)).toEqual(['raw', 'naive', 'waybill'])
      for (const { failure, throughput, latency, cpuMicroseconds } of cells) {
        expect(failure).toBe('')
        expect(throughput.sent).toBeGreaterThan(0)
        expect(throughput.arrived).toBe(throughput.sent)
        expect(throughput.documentsPerSecond).toBeGreaterThan(0)
        expect(latency.arrived).toBe(latency.sent)
        expect(latency.p50Ms).toBeGreaterThan(0)
        expect(cpuMicroseconds.server).toBeGreaterThan(0)
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

  it('misses a goal that was not measured, and names it in the last line', async () => {
    const { code, stdout } = await bench('e2e', '--servers', 'ejabberd', '--peers', 'raw', ...TINY, '--check')
    expect(code).toBe(1)
    expect(stdout.trim().split('\n').at(-1)).toBe(
      'goals missed: waybill to naive on ejabberd, 1 KB: -, wanted 1.00 or more',
    )
  })

  it.each([
    { args: [], code: 2, says: /NAME: e2e, match/ },
    { args: ['nonsense'], code: 2, says: /NAME: e2e, match/ },
    { args: ['e2e', '--help'], code: 0, says: /--rounds N/ },
    { args: ['e2e', '--fast'], code: 2, says: /Unknown option '--fast'/ },
    { args: ['e2e', '--servers', 'openfire'], code: 2, says: /"openfire" is none of prosody,ejabberd/ },
    { args: ['e2e', '--rounds', 'many'], code: 2, says: /"many" is no positive number/ },
  ])('answers $args with exit code $code', async ({ args, code, says }) => {
    const ended = await bench(...args)
    expect(ended.code).toBe(code)
    expect(ended.stdout + ended.stderr).toMatch(says)
  })
})
