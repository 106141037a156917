import { readdirSync, readFileSync } from 'node:fs'
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

const XEP = /XEP-\d{4}/g

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

it('the protocol page has a row for every XEP that the code obeys or puts aside, and names files that mention it', () => {
  const sources = new URL('../../src/', import.meta.url)
  const names = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  const mentioned = new Map(
    names.map((name) => [name, new Set(readFileSync(new URL(name, sources), 'utf8').match(XEP))]),
  )
  const rows = table('## 6.').map(([specification, , , files]) => ({
    xep: specification!.match(XEP)?.[0],
    files: quoted(files!),
  }))
  const known = [...rows.map(({ xep }) => xep), ...table('### 1.3').map(([, , source]) => source)]
  expect([...mentioned.values()].flatMap((xeps) => [...xeps]).filter((xep) => !known.includes(xep))).toEqual([])
  expect(names).toEqual(expect.arrayContaining(rows.flatMap(({ files }) => files)))
  const silent = rows.filter(({ xep, files }) => xep && !files.some((file) => mentioned.get(file)?.has(xep)))
  expect(silent).toEqual([])
})
