import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { probeDelay } from '../../src/domain/breaker.ts'
import { answerTable, defaultPolicy, delayAfter } from '../../src/domain/retry.ts'

const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')

/** The cells of the first table below a heading, its head left out. */
function tableUnder(heading: string): readonly (readonly string[])[] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const lines = section.split('\n')
  const first = lines.findIndex((line) => line.startsWith('|'))
  const end = lines.findIndex((line, at) => at > first && !line.startsWith('|'))
  return lines.slice(first + 2, end).map((line) => {
    return line
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim())
  })
}

const seconds = (ms: number | null) => `${ms! / 1000} s`

describe('the page on operations', () => {
  it('shows the pauses of the default policy as they are', () => {
    let totalMs = 0
    const expected = Array.from({ length: defaultPolicy.deliveries - 1 }, (_, at) => {
      const [plain, least, most] = [0.5, 0, 1 - Number.EPSILON].map((random) =>
        delayAfter(defaultPolicy, at + 1, 0, random),
      )
      totalMs += plain!
      return [String(at + 1), ...[plain!, least!, most!, totalMs].map(seconds)]
    })
    const rows = tableUnder('When a delivery is tried again')
    expect(rows.slice(0, -1)).toEqual(expected)
    expect(rows.at(-1)?.slice(0, 2)).toEqual([String(defaultPolicy.deliveries), 'dead letter'])
    expect(delayAfter(defaultPolicy, defaultPolicy.deliveries, 0, 0)).toBeNull()
    expect(page).toContain(`±${defaultPolicy.backoff.jitter * 100} %`)
    expect(page).toContain(`${defaultPolicy.giveUpAfterMs / 3_600_000} hours`)
  })

  it('shows the pauses of probes as they are', () => {
    const { breaker } = defaultPolicy
    let totalMs = 0
    const expected = Array.from({ length: 7 }, (_, probes) => {
      const [plain, least, most] = [0.5, 0, 1 - Number.EPSILON].map((random) => probeDelay(breaker, probes, random))
      totalMs += plain!
      const name = probes === 6 ? '7 and every one after it' : String(probes + 1)
      return [name, ...[plain!, least!, most!, totalMs].map(seconds)]
    })
    expect(tableUnder('Destinations that keep failing')).toEqual(expected)
    expect(probeDelay(breaker, 1_000, 0.5)).toBe(probeDelay(breaker, 6, 0.5))
    expect(breaker.failures, 'the page says ten').toBe(10)
  })

  it('shows what every answer means, row by row', () => {
    const expected = answerTable.map(({ condition, type = '*', text, verdict }) => {
      return [condition, type, text === undefined ? '*' : `\`${text}\``, verdict]
    })
    expect(tableUnder('What an answer means')).toEqual(expected)
  })
})
