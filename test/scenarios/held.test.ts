import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { scenarioFolder } from './folder.ts'
import { acceptedId, attribute, command, type Installation, install, order, rejectedAs } from './waybill.ts'

const types = readFileSync(fileURLToPath(new URL('./config/types/types.yaml', import.meta.url)), 'utf8')
const quarantining = types.replace('schema: { xsd: order.xsd }', 'schema: { xsd: order.xsd }\nonInvalid: quarantine')
/** The schema knows no priority yet. */
const urgent = (number: string) => order(number).replace('</order>', '<priority>high</priority></order>')
const submitted = (document: string) => `<submit xmlns='urn:waybill:0' report='all'>${document}</submit>`

describe.each(['prosody', 'ejabberd'] as const)('an invalid document of a type that is quarantined, on %s', (kind) => {
  let at: Installation
  beforeAll(async () => {
    at = await install({ kind, config: scenarioFolder({ 'types/types.yaml': quarantining }) })
  })
  afterAll(() => at?.stop())

  const cli = (...words: string[]) => command([words[0]!, at.folder, ...words.slice(1)])
  const becomes = (id: string, state: string) =>
    eventually(async () => (await at.trace(id)).state === state, { what: `${id} to be ${state}` })
  const arrival = (id: string) =>
    at.other.next((stanza) => stanza.startsWith('<message') && attribute(stanza, 'id') === `${id}.0`)

  async function hold(document: string): Promise<string> {
    const answer = await at.submit(document)
    expect(answer).toMatch(/<accepted\b[^>]*state=["']held["']/)
    return acceptedId(answer)
  }

  it('is accepted and held, its sender and the operators are told, and nothing is delivered', async () => {
    const id = await hold(urgent('one'))
    const seen = await at.trace(id)
    expect(seen).toMatchObject({ state: 'held', type: 'order', deliveries: [] })
    expect(seen.holding!.findings[0]).toMatchObject({ layer: 'xsd', severity: 'error' })
    expect((await cli('held', 'ls')).stdout).toContain(id)
    const shown = (await cli('held', 'show', id)).stdout
    expect(shown).toContain('held as invalid: 1 finding')
    expect(shown).toContain('<priority>high</priority>')
    expect((await at.ledger()).documents.held).toBe(1)
    const alarm = await at.peer.next((stanza) => stanza.includes('is held as invalid'))
    expect(attribute(alarm, 'to')).toBe('ops@peer.example.test')
    const ready = await fetch(`${at.waybill.ready.http}/readyz`)
    expect(ready.status).toBe(200)
    expect(await ready.text()).toContain('1 are held as invalid')
    expect(await at.metrics()).toMatch(/^waybill_documents_held 1$/m)
    expect((await cli('doctor')).stdout).toMatch(/held documents +limited/)
    await cli('held', 'refuse', id, '--reason', 'only shown')
  })

  it('is released by an operator, and delivered as it is', async () => {
    const id = await hold(urgent('two'))
    const dry = await cli('held', 'release', id, '--reason', 'agreed by phone', '--dry-run')
    expect(dry.stdout).toContain('would be on its way to other.example.test')
    expect((await at.trace(id)).state).toBe('held')
    const { code, stdout } = await cli('held', 'release', id, '--reason', 'agreed by phone')
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${id} is on its way to other.example.test\n` })
    expect(await arrival(id)).toContain('<priority')
    await becomes(id, 'delivered')
    expect((await at.trace(id)).holding!.ended).toMatchObject({ how: 'released', reason: 'agreed by phone' })
    expect((await cli('held', 'release', id, '--reason', 'again')).code).toBe(1)
  })

  it('is refused by an operator, and its sender hears of it where a report was asked for', async () => {
    const id = await hold(submitted(urgent('three')))
    expect((await cli('held', 'refuse', id)).code).toBe(2)
    expect((await cli('held', 'refuse', id, '--reason', 'not in the contract')).stdout).toBe(`${id} refused\n`)
    const report = await at.peer.next((stanza) => stanza.startsWith('<message') && stanza.includes('<report '))
    expect(report).toContain(id)
    expect(report).toMatch(/<reason\b[^>]*name=["']refused["']/)
    expect(report).toMatch(/<report\b[^>]*state=["']dropped["']/)
    expect(report).not.toContain('contract')
  })

  it('is released when the schema of now accepts it, and only then', async () => {
    const [fits, never] = [await hold(urgent('four')), await hold(order('five', { currency: 'mark' }))]
    const file = `${at.folder}/schemas/order.xsd`
    const schema = readFileSync(file, 'utf8')
    writeFileSync(
      file,
      schema.replace('</xs:sequence>', '<xs:element name="priority" type="xs:string" minOccurs="0"/></xs:sequence>'),
    )
    await becomes(fits, 'delivered')
    expect(await arrival(fits)).toContain('<priority')
    expect((await at.trace(fits)).holding!.ended).toMatchObject({ how: 'released', by: 'waybill' })
    expect((await at.trace(never)).state).toBe('held')
    await cli('held', 'refuse', '--all', '--type', 'order', '--reason', 'cleared away', '--yes')
    expect((await at.trace(never)).state).toBe('dropped')
    writeFileSync(file, schema)
    await eventually(async () => (await at.submit(urgent('six'))).includes('held'))
  })

  it('is released at a start with a schema that accepts it', async () => {
    const id = await hold(urgent('seven'))
    await at.kill()
    const file = `${at.folder}/schemas/order.xsd`
    const schema = readFileSync(file, 'utf8')
    writeFileSync(
      file,
      schema.replace('</xs:sequence>', '<xs:element name="priority" type="xs:string" minOccurs="0"/></xs:sequence>'),
    )
    await at.restart()
    await becomes(id, 'delivered')
    expect((await at.ledger()).balanced).toBe(true)
  })

  it('of another type is rejected as before', async () => {
    const answer = await at.submit(`<note xmlns='urn:example:note'><nothing/></note>`)
    expect(rejectedAs(answer)).toBe('invalid')
  })
})
