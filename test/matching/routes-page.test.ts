import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { readConditions } from '../../src/config/conditions.ts'
import type { FieldScalar } from '../../src/domain/fields.ts'
import { compileValueConditions } from '../../src/matching/value.ts'

const page = readFileSync(new URL('../../docs/routes.md', import.meta.url), 'utf8')

interface Row {
  readonly condition: string
  readonly should: readonly string[]
  readonly shouldNot: readonly string[]
}

/** Rows of `| condition | holds for | fails for |`: YAML, and values as JSON; a list is a field with several values. */
function rowsOfTable(): readonly Row[] {
  const section = page.split('\n## Table of conditions\n')[1]?.split('\n## ')[0] ?? ''
  const lines = section.split('\n').filter((line) => line.startsWith('| `'))
  return lines.map((line) => {
    const cells = line.slice(1, -1).split('|').map(spansOf)
    return { condition: cells[0]![0]!, should: cells[1] ?? [], shouldNot: cells[2] ?? [] }
  })
}

function spansOf(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]*)`/g)].map(([, text]) => text!)
}

function valuesOf(json: string): readonly FieldScalar[] {
  const value = JSON.parse(json) as FieldScalar | readonly FieldScalar[]
  return Array.isArray(value) ? value : [value as FieldScalar]
}

function compile(yaml: string): (json: string) => boolean {
  const complaints: string[] = []
  const when = { fields: { f: parse(yaml) as string } }
  const { fields } = readConditions(when as unknown as Parameters<typeof readConditions>[0], {}, (code) =>
    complaints.push(code),
  )
  expect(complaints).toEqual([])
  const { holds } = compileValueConditions(fields!.f!)
  return (json) => holds(valuesOf(json))
}

describe('the table of conditions in docs/routes.md', () => {
  const rows = rowsOfTable()

  it('has a row for every kind of condition', () => {
    const all = rows.map(({ condition }) => condition).join('\n')
    for (const word of [
      'prefix',
      'suffix',
      'contains',
      'exists: true',
      'exists: false',
      'not',
      '"<"',
      '"<="',
      '">"',
      '">="',
    ]) {
      expect(all).toContain(word)
    }
    for (const { should, shouldNot } of rows) expect(should.length * shouldNot.length).toBeGreaterThan(0)
  })

  for (const { condition, should, shouldNot } of rows) {
    it.each(should)(`${condition} holds for %s`, (json) => expect(compile(condition)(json)).toBe(true))
    it.each(shouldNot)(`${condition} fails for %s`, (json) => expect(compile(condition)(json)).toBe(false))
  }
})
