import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { KNOWN_EXTENSIONS, MESSAGE_CHILDREN } from '../../src/documents/extensions.ts'
import { rejectionConditions } from '../../src/domain/rejection.ts'
import { nodeDefaults } from '../../src/xmpp/nodes.ts'

const page = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8')

/** Cells of the table that follows a line beginning with `heading`. */
function table(heading: string): string[][] {
  const lines = page.slice(page.indexOf(heading)).split('\n')
  const first = lines.findIndex((line) => line.startsWith('|---'))
  const rows = lines.slice(first + 1)
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith('|')),
    )
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}

const quoted = (cell: string) => [...cell.matchAll(/`<?([^`]+?)(?:\/>)?`/g)].map((match) => match[1]!)

it('the protocol page lists the extensions that are put aside, and no others', () => {
  const [own, ...rows] = table('### 1.3')
  expect(quoted(own![1]!)).toEqual(MESSAGE_CHILDREN)
  const expected = KNOWN_EXTENSIONS.map(({ namespace, names, source }) => [namespace, ...(names ?? []), source])
  const documented = rows.map(([namespace, what, source]) => {
    const extension = KNOWN_EXTENSIONS.find((candidate) => `\`${candidate.namespace}\`` === namespace)
    return [quoted(namespace!)[0], ...(extension?.names ? quoted(what!) : []), source]
  })
  expect(documented).toEqual(expected)
})

it('the protocol page tells the condition of every rejection', () => {
  const documented = table('## 2.').flatMap(([reasons, type, condition]) =>
    quoted(reasons!).map((reason) => [reason, { type, condition }]),
  )
  expect(Object.fromEntries(documented)).toEqual(rejectionConditions)
})

it('the protocol page tells how nodes are created', () => {
  const documented = table('says that it exists').flatMap(([fields, value]) =>
    quoted(fields!).map((field) => [field, quoted(value!)[0]]),
  )
  const expected = Object.entries(nodeDefaults).map(([field, value]) => [field, String(value)])
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(expected))
})
