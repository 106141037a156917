import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { junitReport } from '../../src/commands/junit.ts'
import { test as testRoutes } from '../../src/commands/test.ts'
import { type Files, withFolder } from '../config/folder.ts'
import { keptOutput, ORDER, order, WAYBILL } from './given.ts'

const ROUTES = `kind: Route
name: eur
when:
  type: order
  fields: { currency: EUR }
  any: [{ fields: { total: { ">": 100 } } }, { from: boss@example.org }]
deliver: [{ jid: a@example.org }]
tests:
  - { document: samples/eur.xml, from: a@example.org, delivers: [a@example.org] }
  - { document: samples/usd.xml, from: a@example.org, delivers: [], because: currency }
---
kind: Route
name: never
when: { type: order, fields: { currency: CHF } }
deliver: [{ jid: b@example.org }]
tests:
  - { document: samples/eur.xml, from: a@example.org, delivers: [b@example.org] }
`
const FILES: Files = {
  'waybill.yaml': WAYBILL,
  'types/order.yaml': ORDER,
  'routes/routes.yaml': ROUTES,
  'samples/eur.xml': order('EUR', 200),
  'samples/usd.xml': order('USD', 200),
}

const run = (files: Files, junit?: string, format: 'table' | 'json' = 'json') =>
  withFolder(files, async (folder) => {
    const kept = keptOutput(format)
    const code = await testRoutes(folder, junit === undefined ? undefined : join(folder, junit), kept.output)
    const report = junit === undefined ? '' : readFileSync(join(folder, junit), 'utf8')
    return { code, report, text: kept.text() }
  })

describe('waybill test', () => {
  it('says what the tests leave untested', async () => {
    const { code, text } = await run(FILES)
    const { passed, failed, coverage } = JSON.parse(text) as {
      passed: number
      failed: number
      coverage: { routes: unknown; conditions: unknown; gaps: readonly Record<string, string>[] }
    }
    expect([code, passed, failed]).toEqual([1, 2, 1])
    expect(coverage).toMatchObject({ routes: { shown: 1, of: 2 }, conditions: { shown: 1, of: 5 } })
    expect(coverage.gaps.map(({ route, source, condition, lacks }) => [route, source, condition, lacks])).toEqual([
      ['eur', 'routes/routes.yaml:1:1', 'type', 'fail'],
      ['eur', 'routes/routes.yaml:1:1', 'any', 'fail'],
      ['eur', 'routes/routes.yaml:1:1', 'any', 'group'],
      ['never', 'routes/routes.yaml:12:1', undefined, 'match'],
    ])
  })

  it('says it to people as well', async () => {
    const { text } = await run(FILES, undefined, 'table')
    expect(text).toContain('ok      eur: samples/eur.xml from a@example.org')
    expect(text).toContain('untested  routes/routes.yaml:1:1  eur: no test fails because of type (order)')
    expect(text).toContain('no test has group 2 of any hold')
    expect(text).toContain('2 passed, 1 failed; 1 of 2 routes matched, 1 of 5 conditions seen to hold and to fail')
  })

  it('counts a test for the conditions of other routes too', async () => {
    const chf = `${ROUTES.split('---')[0]}---\n${ROUTES.split('---')[1]!.replace('CHF', 'EUR').replace('never', 'other')}`
    const { text } = await run({ ...FILES, 'routes/routes.yaml': chf })
    expect(JSON.parse(text)).toMatchObject({ failed: 0, coverage: { routes: { shown: 2, of: 2 } } })
  })

  it('writes a report that CI reads', async () => {
    const { report } = await run(FILES, 'report.xml')
    const told = report.replaceAll(/ time="[0-9.]+"/g, '')
    expect(told).toContain('<testsuites name="waybill" tests="3" failures="1">')
    expect(told).toContain('<testsuite name="eur" tests="2" failures="0">')
    expect(told).toContain(
      '<testcase classname="eur" name="samples/eur.xml from a@example.org" file="routes/routes.yaml" line="9"/>',
    )
    expect(told).toContain('<failure message="expected b@example.org, which is missing')
  })

  it('fails a test by name where its document is missing, and runs the others', async () => {
    const { 'samples/usd.xml': _, ...files } = FILES
    const { code, report, text } = await run(files, 'report.xml', 'table')
    expect(code).toBe(1)
    expect(text).toContain('ok      eur: samples/eur.xml from a@example.org')
    expect(text).toMatch(
      /FAILED {2}eur: samples\/usd\.xml from a@example\.org\n.*routes\.yaml:10:5: Cannot read .*usd\.xml/,
    )
    expect(text).toContain('1 passed, 2 failed')
    expect(report).toContain('<testsuites name="waybill" tests="3" failures="2"')
    expect(report).toMatch(/name="samples\/usd\.xml from a@example\.org".*<failure message="Cannot read/)
  })

  it('takes a document as the media type that its test says', async () => {
    const of = (mediaType: string, to: string) =>
      `{ document: samples/a.png, from: a@example.org, delivers: [${to}]${mediaType} }`
    const { code, text } = await run({
      'waybill.yaml': WAYBILL,
      'types/photo.yaml': 'kind: DocumentType\nname: photo\nidentify: { mediaType: image/png }\nschema: none\n',
      'routes/photos.yaml': `kind: Route\nname: photos\nwhen: { type: photo }\ndeliver: [{ jid: a@example.org }]\ntests:\n  - ${of(', mediaType: image/png', 'a@example.org')}\n  - ${of(', mediaType: image/gif', '')}\n  - ${of('', '')}\n`,
      'samples/a.png': 'PNG',
    })
    expect(JSON.parse(text)).toMatchObject({ passed: 3, failed: 0 })
    expect(code).toBe(0)
  })

  it('says where it can not be written', async () => {
    await expect(run(FILES, 'nowhere/report.xml')).rejects.toMatchObject({ exitCode: 3 })
  })
})

describe("the report in JUnit's XML", () => {
  it('is well-formed whatever stands in a message', () => {
    const failure = 'found <a b="&">\u0000\ud800 \u{1f600}\nnext'
    const report = junitReport([{ suite: 's"<', name: '&', source: 'a:1:2', seconds: 0.0012, failure }])
    const { status, stderr } = spawnSync('xmllint', ['--noout', '-'], { input: report, encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
    expect(report).toContain('\u{1f600}')
  })
})
