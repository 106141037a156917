import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const root = new URL('../', import.meta.url)
const page = readFileSync(new URL('docs/operations.md', root), 'utf8')

/** Rows of the table below the heading: event and levels. */
const listed: readonly string[] = (page.split('\n### Log events\n')[1] ?? '')
  .split(/\n#+ /)[0]!
  .split('\n')
  .flatMap((line) => {
    const [, event, levels] = /^\| `([a-z-]+)` \| ([a-z, ]+) \| [^|]+ \| [^|]+ \|$/.exec(line) ?? []
    return event === undefined ? [] : [`${event}: ${levels!.split(', ').sort().join(', ')}`]
  })

/** What logs an event that it is given, and at which level. */
const GIVEN: Readonly<Record<string, readonly string[]>> = {
  logged: ['error'],
  tellOnce: ['warn'],
  logEnd: ['error', 'info', 'warn'],
}

interface Written {
  readonly event: string
  readonly levels: readonly string[]
}

const sources = (readdirSync(new URL('src/', root), { recursive: true }) as string[])
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(new URL(`src/${name}`, root), 'utf8'))

const LOGS = /\blog\(\s*((?:[\w. ?=:]|'[a-z]+')+),\s*(?:'([a-z-]+)'|\w+)/g
const GIVES = /\b(logged|tellOnce|logEnd)\((?:log, )?'([a-z-]+)'/g
const levelsIn = (text: string) => [...text.matchAll(/'(debug|info|warn|error)'/g)].map(([, level]) => level!)

function writtenIn(source: string): readonly Written[] {
  const logs = [...source.matchAll(LOGS)].flatMap(({ 1: level, 2: event, index }): readonly Written[] => {
    if (event === undefined) return []
    const declared = /\blevel\b/.test(level!) ? source.slice(source.lastIndexOf('const level =', index), index) : level!
    return [{ event, levels: levelsIn(declared.split('\n')[0]!) }]
  })
  const given = [...source.matchAll(GIVES)].map(([, how, event]) => ({ event: event!, levels: GIVEN[how!]! }))
  return [...logs, ...given]
}

function eventsOf(written: readonly Written[]): readonly string[] {
  const levels = new Map<string, Set<string>>()
  for (const one of written) levels.set(one.event, new Set([...(levels.get(one.event) ?? []), ...one.levels]))
  const sorted = [...levels].sort(([one], [other]) => (one < other ? -1 : 1))
  return sorted.map(([event, some]) => `${event}: ${[...some].sort().join(', ')}`)
}

describe('the table of log events', () => {
  it('has every event that is written, at its levels, and no other one', () => {
    expect(listed).toEqual(eventsOf(sources.flatMap(writtenIn)))
  })

  it('is held against all that writes to the log', () => {
    const calls = sources.flatMap((source) => [...source.matchAll(/(?<!Math\.)\blog\((?!line)/g)])
    expect(calls).toHaveLength(sources.flatMap((source) => [...source.matchAll(LOGS)]).length)
    const unnamed = sources.flatMap((source) => [...source.matchAll(LOGS)].filter(([, , event]) => event === undefined))
    expect(unnamed, 'logged, tellOnce and logEnd').toHaveLength(Object.keys(GIVEN).length)
  })
})
