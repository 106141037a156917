import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'

const RUN = fileURLToPath(new URL('run.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'waybill-bench-match-'))
const TINY = ['--quick', '--rounds', '1', '--pairs', '80', '--only', '1k']

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function bench(
  ...args: string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [RUN, 'match', ...args], { timeout: 110_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

interface Measured {
  readonly cells: readonly {
    readonly failure: string
    readonly routes: number
    readonly match: { readonly medianUs: number; readonly matches: number }
    readonly others: Readonly<Record<string, unknown>>
  }[]
  readonly correctness: { readonly pairs: number; readonly mismatch: string; readonly thrown: string }
}

describe('the matching benchmark', { timeout: 120_000 }, () => {
  it('measures a cell in which everybody finds the same routes, after the answers were compared with libxml2', async () => {
    const file = join(folder, 'result.json')
    const { code, stderr } = await bench(...TINY, '--json', file)
    expect(code, stderr).toBe(0)
    const { cells, correctness } = JSON.parse(readFileSync(file, 'utf8')) as Measured
    expect(correctness).toMatchObject({ pairs: 80, mismatch: '', thrown: '' })
    expect(cells.map(({ routes, failure }) => ({ routes, failure }))).toEqual([{ routes: 1_000, failure: '' }])
    expect(cells[0]!.match.medianUs).toBeGreaterThan(0)
    expect(cells[0]!.match.matches).toBeGreaterThanOrEqual(1)
    expect(Object.keys(cells[0]!.others)).toEqual(['closures', 'automaton', 'automaton on sorted fields', 'libxml2'])
  })

  it('misses a goal that was not measured, and names it in the last line', async () => {
    const { code, stdout } = await bench(...TINY, '--check')
    expect(code).toBe(1)
    expect(stdout.trim().split('\n').at(-1)).toMatch(
      /^goals missed: .*match-only, 1M over 1k routes: -, wanted at most 2.5/,
    )
  })

  it.each([
    { args: ['--help'], code: 0, says: /--pairs N/ },
    { args: ['--fast'], code: 2, says: /Unknown option '--fast'/ },
    { args: ['--routes', '7'], code: 2, says: /"7" is none of 1k,10k,100k,1M/ },
    { args: ['--rounds', 'many'], code: 2, says: /"many" is no whole number/ },
  ])('answers $args with exit code $code', async ({ args, code, says }) => {
    const ended = await bench(...args)
    expect(ended.code).toBe(code)
    expect(ended.stdout + ended.stderr).toMatch(says)
  })
})
