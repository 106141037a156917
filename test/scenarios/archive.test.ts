import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { scenarioFolder } from './folder.ts'
import { acceptedId, attribute, command, type Installation, install, order } from './waybill.ts'

describe('the archive of a running installation', () => {
  let at: Installation
  beforeAll(async () => {
    at = await install({ kind: 'prosody', settings: { archive: { types: ['order'] } } })
  })
  afterAll(() => at?.stop())

  const cli = (...words: string[]) => command([words[0]!, at.folder, ...words.slice(1)])
  const arrival = (id: string) =>
    at.other.next((stanza) => stanza.startsWith('<message') && attribute(stanza, 'id') === `${id}.0`)

  it('sends a delivered document again, also after a kill, as a document of its own', async () => {
    const id = acceptedId(await at.submit(order('one')))
    await arrival(id)
    await at.kill()
    expect((await cli('archive', 'ls', '--type', 'order')).stdout).toContain(id)
    expect((await cli('archive', 'show', id)).stdout).toContain('<number>one</number>')
    expect((await cli('archive', 'redrive', id)).code).toBe(2)
    const dry = await cli('archive', 'redrive', id, '--reason', 'lost', '--dry-run')
    expect(dry.stdout).toContain('would be sent again to other.example.test')
    const { stdout } = await cli('archive', 'redrive', id, '--reason', 'lost', '-o', 'json')
    const again = JSON.parse(stdout).id as string
    expect(again).not.toBe(id)
    await at.restart()
    expect(await arrival(again)).toContain('one')
    expect(await at.trace(again)).toMatchObject({ again: { of: id, reason: 'lost' } })
    await eventually(async () => (await at.trace(again)).state === 'delivered')
    expect((await at.ledger()).documents.accepted).toBe(2)
  })

  it('names the senders whom a change of the schema would break', async () => {
    const from = 'wordy@peer.example.test/1'
    const id = acceptedId(await at.submit(order('two', { note: 'please ring twice' }), { from }))
    const schemas = scenarioFolder({})
    const next = join(schemas, 'schemas', 'order.xsd')
    const old = join(at.folder, 'schemas', 'order.xsd')
    writeFileSync(
      next,
      readFileSync(old, 'utf8').replace('<xs:element name="note" type="xs:string" minOccurs="0"/>', ''),
    )
    const words = ['schema', 'diff', old, next, '--against', 'archive', '--config', at.folder]
    expect((await command(words)).code).toBe(2)
    const { code, stdout } = await command([...words, '--type', 'order'])
    expect(code).toBe(1)
    expect(stdout).toContain('it would break 1 of wordy@peer.example.test')
    expect(stdout).toContain(id)
  })

  it('shows what other routes would do with what came', async () => {
    const next = scenarioFolder({})
    cpSync(at.folder, next, { recursive: true })
    const file = join(next, 'routes', 'routes.yaml')
    const routes = readFileSync(file, 'utf8')
    writeFileSync(file, routes.replace('{ jid: other.example.test }', '{ jid: moved@other.example.test }'))
    const { stdout, code } = await command(['diff', at.folder, next, '--documents', 'archive', '-o', 'json'])
    expect(code).toBe(1)
    const { documents, counts } = JSON.parse(stdout) as { documents: number; counts: Record<string, number> }
    expect(documents).toBe(2)
    expect(counts.moved).toBe(2)
  })
})
