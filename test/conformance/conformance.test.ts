import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'

const RUN = fileURLToPath(new URL('run.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'waybill-conformance-test-'))

afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** With a folder of its own for temporary files, what is left behind shows. */
function conformance(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, TMPDIR: folder }
    execFile(process.execPath, [RUN, ...args], { env, timeout: 240_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

interface Outcome {
  readonly counts: Readonly<Record<string, number>>
  readonly goals: readonly { readonly text: string; readonly met: boolean }[]
}

describe('the validators agree with others', () => {
  it.each([
    ['xsd', 'mutants', 200],
    ['relax-ng', 'documents', 100],
    ['json-schema', 'ownTests', 300],
    ['schematron', 'ownMutants', 100],
  ])(
    'on %s, as far as those are there',
    async (suite, counted, least) => {
      const file = join(folder, `${suite}.json`)
      const { code, stdout, stderr } = await conformance(suite, '--quick', '--json', file)
      const written = existsSync(file) ? readFileSync(file, 'utf8') : '{}'
      rmSync(file, { force: true })
      expect({ code, missed: /goals missed.*/.exec(stdout)?.[0] }, stdout + stderr).toEqual({
        code: 0,
        missed: undefined,
      })
      const outcome = (JSON.parse(written) as Readonly<Record<string, Outcome>>)[suite]!
      expect(outcome.counts[counted]).toBeGreaterThanOrEqual(least)
      expect(outcome.goals.length).toBeGreaterThan(0)
      expect(readdirSync(folder)).toEqual([])
    },
    250_000,
  )

  it.each([
    { args: ['nonsense'], code: 2, says: /There is no suite nonsense/ },
    { args: ['--seed', 'x'], code: 2, says: /--seed must be a number: x/ },
    { args: ['--help'], code: 0, says: /SUITE: xsd, relax-ng, json-schema, schematron/ },
  ])('$args ends with $code', async ({ args, code, says }) => {
    const ended = await conformance(...args)
    expect(ended.code).toBe(code)
    expect(ended.stdout + ended.stderr).toMatch(says)
  })

  it('what is left out is a failure where that is asked', async () => {
    const env = process.env.WAYBILL_CORPORA
    process.env.WAYBILL_CORPORA = join(folder, 'nowhere')
    const { code, stdout } = await conformance('json-schema', '--quick', '--check')
    if (env === undefined) delete process.env.WAYBILL_CORPORA
    else process.env.WAYBILL_CORPORA = env
    expect(code).toBe(1)
    expect(stdout.trim().split('\n').at(-1)).toBe(
      'goals missed: left out: the official suite: it is not in the corpora',
    )
  })
})
