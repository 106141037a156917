import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { FieldScalar } from '../../src/domain/fields.ts'
import { jidPattern, normaliseJid } from '../../src/domain/jid.ts'
import type { DestinationTemplate } from '../../src/domain/route.ts'
import { compileDestination } from '../../src/matching/destination.ts'
import { compileRoutes } from '../../src/matching/matcher.ts'
import type { Subject } from '../../src/matching/subject.ts'
import { compileValueConditions } from '../../src/matching/value.ts'
import { subjectOf, xpathEngine } from '../matching/samples.ts'
import { load, ORDER, WAYBILL } from './folder.ts'

const page = readFileSync(new URL('../../docs/routes.md', import.meta.url), 'utf8')

/** Cells of the first table under a heading; code spans lose their backticks. */
function rowsUnder(heading: string): readonly (readonly string[])[] {
  const [, section] = page.split(`\n${heading}\n`)
  const lines = section!
    .split(/\n#+ /)[0]!
    .split('\n')
    .filter((line) => line.startsWith('|'))
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
}

const unquoted = (cell: string) => cell.replace(/^`|`$/g, '')

/** Backticked words of a cell. */
const words = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word!)

describe('the page on routes tells the truth', () => {
  const rows = rowsUnder('## Table of conditions')

  it('about conditions on values, from their YAML to the verdict', async () => {
    const routes = rows.map(([condition], at) =>
      JSON.stringify({
        kind: 'Route',
        name: `row-${at}`,
        when: { fields: { currency: parse(unquoted(condition!)) as unknown } },
        deliver: [{ jid: 'a@example.org' }],
      }),
    )
    const files = { 'waybill.yaml': WAYBILL, 'types/t.yaml': ORDER, 'routes/r.yaml': routes.join('\n---\n') }
    const { configuration, problems } = await load(files)
    // Of null, which a field of XML never is, there is a warning.
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
    expect(rows.length).toBeGreaterThan(60)
    const verdicts = rows.map(([condition, values], at) => {
      const conditions = configuration!.routes[at]!.when.fields!.currency!
      const holds = compileValueConditions(conditions).holds(JSON.parse(unquoted(values!)) as FieldScalar[])
      return [condition, values, holds ? 'yes' : 'no']
    })
    expect(verdicts).toEqual(rows)
  })

  it('about groups, from their YAML to the verdict', async () => {
    const groups = rowsUnder('### Groups')
    const routes = groups.map(([when], at) => {
      const text = { kind: 'Route', name: `row-${at}`, when: parse(unquoted(when!)) as unknown }
      return JSON.stringify({ ...text, deliver: [{ jid: 'a@example.org' }] })
    })
    const type = (name: string) =>
      `kind: DocumentType\nname: ${name}\nidentify: { json: { match: { /kind: ${name} } } }\nschema: none\n` +
      'fields: { a: { pointer: /a }, b: { pointer: /b } }\n'
    const files = {
      'waybill.yaml': WAYBILL,
      'types/t.yaml': `${type('one')}---\n${type('other')}`,
      'routes/r.yaml': routes.join('\n---\n'),
    }
    const { configuration, problems } = await load(files)
    expect(problems).toEqual([])
    expect(groups.length).toBeGreaterThan(20)
    const { matcher } = compileRoutes(configuration!.routes, xpathEngine)
    const verdicts = groups.map(([when, fields], at) => {
      const subject = subjectOf({
        type: 'one',
        origin: { from: 'a@example.org/x' },
        fields: JSON.parse(unquoted(fields!)) as Subject['fields'],
      })
      return [when, fields, matcher.match(subject).routes.includes(`row-${at}`) ? 'yes' : 'no']
    })
    expect(verdicts).toEqual(groups)
  })

  it('about JID patterns', () => {
    const patterns = rowsUnder('### JID patterns')
    expect(patterns.length).toBeGreaterThan(5)
    for (const [pattern, should, shouldNot] of patterns) {
      const matches = jidPattern(unquoted(pattern!))!
      const verdict = (jid: string) => `${jid} ${matches(normaliseJid(unquoted(jid))!)}`
      for (const jid of should!.split(', ')) expect(verdict(jid), pattern).toBe(`${jid} true`)
      for (const jid of shouldNot!.split(', ')) expect(verdict(jid), pattern).toBe(`${jid} false`)
    }
  })

  it('about templates', () => {
    const templates = rowsUnder('### Templates')
    expect(templates.length).toBeGreaterThan(5)
    for (const [template, fields, allow, destinations] of templates) {
      const text = unquoted(template!)
      const target = text.includes('@')
        ? ({ kind: 'jid', jid: text } as const)
        : ({ kind: 'node', service: 'p.example', node: text } as const)
      const written = { target, allow: unquoted(allow!), maxNodes: 1000 } as DestinationTemplate
      const problems: string[] = []
      const compiled = compileDestination(written, 0, (code) => problems.push(code))
      expect(problems).toEqual([])
      const values = { [/\{(\w+)\}/.exec(text)![1]!]: words(fields!) }
      const { destinations: filled, refusals } = compiled!.fill({ fields: values } as unknown as Subject)
      expect(filled.map((one) => (one.kind === 'node' ? one.node : one.jid))).toEqual(words(destinations!))
      expect(refusals.length > 0, template).toBe(destinations!.startsWith('none'))
    }
  })
})
