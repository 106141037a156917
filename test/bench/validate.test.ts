import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'

const RUN = fileURLToPath(new URL('run.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'waybill-bench-validate-'))
const TINY = ['--quick', '--rounds', '1', '--documents', '0', '--only', 'order, 1 KB']

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function bench(
  ...args: string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [RUN, 'validate', ...args], { timeout: 110_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

describe('the validation benchmark', { timeout: 120_000 }, () => {
  it('measures a case on which everybody gives the right verdict, and names the goal that was not measured in the last line', async () => {
    const file = join(folder, 'result.json')
    const { code, stdout, stderr } = await bench(...TINY, '--check', '--json', file)
    expect(code, stderr).toBe(1)
    expect(stdout.trim().split('\n').at(-1)).toMatch(
      /^goals missed: UBL invoice, 19 KB, XSD: from the stanza over libxml2-wasm alone: -, wanted at most 1.3/,
    )
    const { cases, memory } = JSON.parse(readFileSync(file, 'utf8'))
    expect(memory).toBeUndefined()
    expect(cases).toMatchObject([{ name: 'order, 1 KB, XSD', failure: '', judged: 20 }])
    for (const column of ['parse', 'both', 'room', 'alone']) expect(cases[0][column].medianUs).toBeGreaterThan(0)
  })

  it.each([
    { args: ['--help'], code: 0, says: /--documents N/ },
    { args: ['--fast'], code: 2, says: /Unknown option '--fast'/ },
    { args: ['--only', 'cheque'], code: 2, says: /"cheque" is in none of their names/ },
    { args: ['--documents', '7'], code: 2, says: /--documents is 7/ },
  ])('answers $args with exit code $code', async ({ args, code, says }) => {
    const ended = await bench(...args)
    expect(ended.code).toBe(code)
    expect(ended.stdout + ended.stderr).toMatch(says)
  })
})
