import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DeadGroup, DeadLetter } from '../../src/flow/ports.ts'
import { eventually } from '../eventually.ts'
import { acceptedId, attribute, command, type Installation, install } from './waybill.ts'

const note = (to: string, text = 'hello') => `<note xmlns='urn:example:note'><to>${to}</to><text>${text}</text></note>`

/** Each look and each command is a process of its own. */
const PATIENCE_MS = 120_000

describe('dead letters by cause', () => {
  let at: Installation
  beforeAll(async () => {
    at = await install({ kind: 'prosody' })
  })
  afterAll(() => at?.stop())

  const cli = (...words: string[]) => command([words[0]!, at.folder, ...words.slice(1)])
  const json = async <T>(...words: string[]): Promise<T> => JSON.parse((await cli(...words, '-o', 'json')).stdout) as T
  const becomes = (id: string, state: string) =>
    eventually(async () => (await at.trace(id)).state === state, { what: `${id} to be ${state}` })
  const letters = (...filters: string[]) => json<DeadLetter[]>('dead', 'ls', ...filters)

  async function dead(payload: string): Promise<string> {
    const id = acceptedId(await at.submit(payload))
    await becomes(id, 'dead')
    return id
  }

  it('are grouped, and chosen by every filter', { timeout: PATIENCE_MS }, async () => {
    const sinceMs = Date.now()
    const ids = [await dead(note('nobody')), await dead(note('nobody', 'again'))]
    const other = await dead(note('o ps'))
    const groups = await json<DeadGroup[]>('dead', 'groups')
    expect(groups.map(({ count, cause }) => [count, cause.destination])).toEqual([
      [2, 'nobody@example.test'],
      [1, expect.stringContaining('{to}')],
    ])
    expect((await cli('dead', 'groups')).stdout).toMatch(new RegExp(`^${groups[0]!.fingerprint} +2 `, 'm'))
    const chosen = async (...filters: string[]) =>
      (await letters(...filters)).map(({ envelopeId }) => envelopeId).sort()
    expect(await chosen('--group', groups[0]!.fingerprint)).toEqual([...ids].sort())
    expect(await chosen('--field', 'to=nobody')).toEqual([...ids].sort())
    expect(await chosen('--field', 'to=o ps', '--type', 'note')).toEqual([other])
    expect(await chosen('--since', new Date(sinceMs).toISOString(), '--reason', 'address-refused')).toEqual([other])
    expect(await chosen('--until', '1h')).toEqual([])
    expect((await cli('dead', 'ls', '--since', 'yesterday')).code).toBe(2)
    expect((await cli('dead', 'ls', '--field', 'to')).code).toBe(2)
  })

  it('are redriven as a group after a dry run', { timeout: PATIENCE_MS }, async () => {
    const ids = (await letters('--field', 'to=nobody')).map(({ envelopeId }) => envelopeId)
    const [group] = await json<DeadGroup[]>('dead', 'groups', '--field', 'to=nobody')
    expect(group!.count).toBe(2)
    const words = ['dead', 'redrive', '--all', '--group', group!.fingerprint]
    const dry = await cli(...words)
    expect(dry.code).toBe(0)
    expect(dry.stdout).toMatch(/would be on its way again to nobody@example\.test[\s\S]*Nothing was done\. 2 of 2/)
    expect(await letters('--group', group!.fingerprint)).toHaveLength(2)
    await at.server.addUser('nobody', 'secret')
    expect((await cli(...words, '--yes')).code).toBe(0)
    for (const id of ids) await becomes(id, 'delivered')
    expect((await cli(...words, '--yes')).stdout).not.toContain('is on its way')
    expect((await at.ledger()).balanced).toBe(true)
  })

  it('are redriven to another destination, which the trace shows with who did it', {
    timeout: PATIENCE_MS,
  }, async () => {
    const id = await dead(note('moved'))
    expect((await cli('dead', 'redrive', `${id}.0`, '--to', 'not a jid@')).code).toBe(2)
    const dry = await cli('dead', 'redrive', `${id}.0`, '--to', 'desk@other.example.test', '--dry-run')
    expect(dry.stdout).toContain('would be on its way again to desk@other.example.test')
    expect((await at.trace(id)).state).toBe('dead')
    expect((await cli('dead', 'redrive', `${id}.0`, '--to', 'desk@other.example.test')).code).toBe(0)
    expect((await cli('dead', 'redrive', `${id}.0`, '--to', 'desk@other.example.test')).code).toBe(1)
    await at.other.next((stanza) => attribute(stanza, 'id') === `${id}.0`)
    await becomes(id, 'delivered')
    const { stdout } = await cli('trace', id)
    expect(stdout).toContain('to desk@other.example.test by route notes-for-people')
    expect(stdout).toMatch(/redriven: by \S+, to desk@other\.example\.test/)
    expect(at.other.received.filter((stanza) => attribute(stanza, 'id') === `${id}.0`)).toHaveLength(1)
    expect((await at.ledger()).balanced).toBe(true)
  })

  it('are redriven with another document, as valid as the first one had to be', { timeout: PATIENCE_MS }, async () => {
    const id = await dead(note('wrong', 'first'))
    const file = join(at.folder, 'other.xml')
    const redrive = () => cli('dead', 'redrive', `${id}.0`, '--to', 'desk2@other.example.test', '--document', file)
    writeFileSync(file, `<note xmlns='urn:example:note'><to>wrong</to></note>`)
    const invalid = await redrive()
    expect(invalid).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('stays dead: The document is not a valid note: 1 finding\n'),
    })
    writeFileSync(file, `<order xmlns='urn:example:secret'/>`)
    expect((await redrive()).stdout).toContain('is of type secret-order, the dead letter is of type note')
    writeFileSync(file, '<note')
    expect((await redrive()).stdout).toContain('stays dead')
    expect((await at.trace(id)).state).toBe('dead')
    writeFileSync(file, `<?xml version="1.0"?>\n<!-- by hand -->\n${note('wrong', 'second')}\n`)
    expect(await redrive()).toMatchObject({ code: 0 })
    const stanza = await at.other.next((one) => attribute(one, 'id') === `${id}.0`)
    expect(stanza).toContain('<text>second</text>')
    await becomes(id, 'delivered')
    const [delivery] = (await at.trace(id)).deliveries
    const redriven = delivery!.attempts.find(({ result }) => result === 'redriven')
    expect(redriven?.text).toContain(`SHA-256 ${delivery!.document!.digest}`)
    expect((await cli('dead', 'show', `${id}.0`)).stdout).toContain('<text>second</text>')
    expect((await cli('dead', 'show', id)).stdout).toContain('<text>first</text>')
  })

  it('are matched by the routes of now only where that is asked for', { timeout: PATIENCE_MS }, async () => {
    const id = await dead(note('gone'))
    appendFileSync(
      `${at.folder}/routes/routes.yaml`,
      '---\nkind: Route\nname: notes-archive\nwhen: { type: note }\ndeliver: [{ jid: archive@other.example.test }]\n',
    )
    at.waybill.signal('SIGHUP')
    await eventually(() => at.waybill.log().includes('"reloaded"'))
    expect((await cli('dead', 'redrive', `${id}.0`)).code).toBe(0)
    await becomes(id, 'dead')
    expect((await at.trace(id)).deliveries).toHaveLength(1)
    const dry = await cli('dead', 'redrive', id, '--match-again', '--dry-run')
    expect(dry.stdout).toContain('archive@other.example.test')
    expect((await cli('dead', 'redrive', id, '--match-again')).code).toBe(0)
    await at.other.next((stanza) => stanza.includes(id) && attribute(stanza, 'to') === 'archive@other.example.test')
    await eventually(async () => (await at.trace(id)).deliveries.some(({ state }) => state === 'delivered'))
    const [first] = (await at.trace(id)).deliveries
    expect(first).toMatchObject({ state: 'dropped', reason: expect.stringMatching(/^matched-again \(.+\)$/) })
    expect((await at.ledger()).balanced).toBe(true)
  })

  it('are dropped as many after a dry run, with the reason', { timeout: PATIENCE_MS }, async () => {
    const id = await dead(note('useless'))
    const states = async () => (await at.trace(id)).deliveries.map(({ state }) => state)
    const words = ['dead', 'drop', '--all', '--field', 'to=useless', '--reason', 'asked by the partner']
    expect((await cli(...words)).stdout).toMatch(new RegExp(`${id}\\.\\d would be dropped`))
    expect(await states()).toContain('dead')
    expect((await cli(...words, '--yes')).code).toBe(0)
    expect(await states()).toContain('dropped')
    expect(await states()).not.toContain('dead')
    expect((await at.ledger()).balanced).toBe(true)
  })
})
