import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { acceptedId, attribute, command, type Installation, install, order } from './waybill.ts'

const note = (to: string) => `<note xmlns='urn:example:note'><to>${to}</to><text>hello</text></note>`

describe.each(['prosody', 'ejabberd'] as const)('dead letters, on %s', (kind) => {
  let at: Installation
  beforeAll(async () => {
    at = await install({ kind })
  })
  afterAll(() => at?.stop())

  const cli = (...words: string[]) => command([words[0]!, at.folder, ...words.slice(1)])
  const becomes = (id: string, state: string) =>
    eventually(async () => (await at.trace(id)).state === state, { what: `${id} to be ${state}` })

  it('an account that is not there is tried as often as the policy says, then kept with every attempt and its error', async () => {
    const id = acceptedId(await at.submit(note('nobody')))
    await becomes(id, 'dead')
    const trace = await at.trace(id)
    expect(trace.deliveries[0]).toMatchObject({
      destination: 'nobody@example.test',
      route: 'notes-for-people',
      state: 'dead',
    })
    const refused = trace.deliveries[0]!.attempts.filter((attempt) => attempt.result.includes('service-unavailable'))
    expect(refused.length).toBeGreaterThanOrEqual(1)
    const { stdout, code } = await cli('dead', 'ls')
    expect(code).toBe(0)
    expect(stdout).toContain(`${id}.0`)
    const shown = await cli('dead', 'show', `${id}.0`)
    expect(shown.stdout).toContain('<to>nobody</to>')
    const asJson = await cli('dead', 'show', `${id}.0`, '-o', 'json')
    expect(JSON.parse(asJson.stdout).content.note).toMatchObject({ to: 'nobody', text: 'hello' })
  })

  it('is redriven once by two redrives, and delivered when the cause is gone', async () => {
    const id = acceptedId(await at.submit(note('later')))
    await becomes(id, 'dead')
    await at.server.addUser('later', 'secret')
    expect((await cli('dead', 'redrive', `${id}.0`)).code).toBe(0)
    const second = await cli('dead', 'redrive', `${id}.0`)
    expect(second.code).toBe(1)
    await becomes(id, 'delivered')
    expect((await at.ledger()).balanced).toBe(true)
  })

  it('is redriven, dropped and parked with a mistake in the routes, unless they have to be asked', async () => {
    const [first, second] = await Promise.all(['b 1', 'b 2'].map(async (to) => acceptedId(await at.submit(note(to)))))
    const unrouted = acceptedId(
      await at.submit(`<order xmlns='urn:example:secret'/>`, { from: 'boss@peer.example.test' }),
    )
    for (const id of [first!, second!, unrouted]) await becomes(id, 'dead')
    const mistake = `${at.folder}/routes/mistake.yaml`
    writeFileSync(mistake, 'kind: Route\nname: mistake\nwhen: { type: nothing }\ndeliver: [{ jid: x@example.test }]\n')
    const to = ['--to', 'mended@other.example.test']
    for (const words of [
      ['redrive', `${first}.0`, '--match-again'],
      ['redrive', unrouted],
      ['redrive', '--all', '--yes'],
    ]) {
      const refused = await cli('dead', ...words)
      expect([words, refused.code, refused.stdout]).toEqual([words, 1, ''])
      expect(refused.stderr).toContain('routes/mistake.yaml:3:')
    }
    expect((await cli('dead', 'redrive', `${first}.0`, ...to)).code).toBe(0)
    expect((await cli('dead', 'drop', `${second}.0`, '--reason', 'a test')).code).toBe(0)
    await at.other.next((stanza) => attribute(stanza, 'to') === to[1])
    expect((await cli('dead', 'drop', unrouted, '--reason', 'a test')).code).toBe(0)
    rmSync(mistake)
    for (const id of [second!, unrouted]) expect((await at.trace(id)).state).toBe('dropped')
  })

  it('a document that no route matches is a dead letter no-route, and is matched again when it is redriven', async () => {
    const secret = `<order xmlns='urn:example:secret'/>`
    const id = acceptedId(await at.submit(secret, { from: 'boss@peer.example.test' }))
    await becomes(id, 'dead')
    expect((await at.trace(id)).reason).toBe('no-route')
    expect((await cli('dead', 'ls', '--reason', 'no-route')).stdout).toContain(id)
    expect((await cli('dead', 'redrive', id)).stdout).toContain('still matches no route')
    appendFileSync(
      `${at.folder}/routes/routes.yaml`,
      '---\nkind: Route\nname: secrets\nwhen: { type: secret-order }\ndeliver: [{ jid: safe@other.example.test }]\n',
    )
    expect((await cli('dead', 'redrive', id)).code).toBe(0)
    await at.other.next((stanza) => stanza.includes(id) && attribute(stanza, 'to') === 'safe@other.example.test')
    await becomes(id, 'delivered')
  })

  it('an address outside of allow is never sent to: it is a dead letter that says so', async () => {
    for (const to of ['o ps', '../x', 'a@b', 'ünïcode']) {
      const id = acceptedId(await at.submit(note(to)))
      await becomes(id, 'dead')
      const [delivery] = (await at.trace(id)).deliveries
      expect(delivery).toMatchObject({ state: 'dead', reason: 'address-refused' })
    }
    expect((await at.ledger()).balanced).toBe(true)
  })

  it('is dropped with a reason only, which is kept', async () => {
    const id = acceptedId(await at.submit(note('gone')))
    await becomes(id, 'dead')
    expect((await cli('dead', 'drop', `${id}.0`)).code).toBe(2)
    expect((await cli('dead', 'drop', `${id}.0`, '--reason', 'asked by the partner')).code).toBe(0)
    const trace = await at.trace(id)
    expect(trace.state).toBe('dropped')
    expect(JSON.stringify(trace)).toContain('asked by the partner')
    expect((await at.ledger()).balanced).toBe(true)
  })

  it('all that the filters choose are more than ls shows, and ls says that it left some out', async () => {
    const refused = await Promise.all(
      Array.from({ length: 101 }, async (_, n) => acceptedId(await at.submit(note(`x ${n}`), { id: `all-${n}` }))),
    )
    for (const id of refused) await becomes(id, 'dead')
    const ls = await cli('dead', 'ls', '--reason', 'address-refused')
    expect(ls.stdout.trim().split('\n')).toHaveLength(1 + 100)
    expect(ls.stderr).toContain('--limit')
    expect((await cli('dead', 'drop', `${refused[0]}.0`, '--all', '--reason', 'both')).code).toBe(2)
    const dropped = await cli('dead', 'drop', '--all', '--type', 'note', '--reason', 'a test', '--yes')
    for (const id of refused) expect(dropped.stdout).toContain(`${id}.0 dropped`)
    expect((await at.ledger()).balanced).toBe(true)
  })

  it('alarms reach the configured JID as a readable message', async () => {
    const alarm = await at.peer.next(
      (stanza) => stanza.startsWith('<message') && attribute(stanza, 'to') === 'ops@peer.example.test',
    )
    expect(alarm).toMatch(/<body>Waybill: gave up a delivery to .*nobody@example\.test/)
  })

  it('one destination that fails holds back nobody else', async () => {
    const ids = await Promise.all(
      Array.from({ length: 30 }, async (_, n) =>
        acceptedId(await at.submit(order(`R-${kind}-${n}`), { id: `hold-${n}` })),
      ),
    )
    for (const id of ids)
      await at.other.next((stanza) => attribute(stanza, 'id') === `${id}.0` || attribute(stanza, 'id') === `${id}.1`)
    await eventually(async () => (await at.trace(ids[0]!)).deliveries.some(({ state }) => state === 'delivered'))
  })
})
