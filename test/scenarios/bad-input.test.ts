import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { takeMark } from '../config/folder.ts'
import { eventually } from '../eventually.ts'
import { connectRawComponent } from '../servers/raw-component.ts'
import { mistakes, wrongSchemas } from './bad-configuration.ts'
import { badStanzas, closesItsStream, droppedByProsody, LIMITS, NOTHING, TYPES } from './bad-stanzas.ts'
import { scenarioFolder } from './folder.ts'
import { acceptedId, attribute, command, type Installation, install, order, rejectedAs } from './waybill.ts'

/**
 * Everything that is wrong has its clear error, or none where nothing may be answered; the process lives, its stream stays open, and the next
 * document passes.
 */
describe.each(['ejabberd', 'prosody'] as const)('bad input through %s', (kind) => {
  let at: Installation
  let ours = ''
  let counter = 0
  const unanswered: string[] = []

  beforeAll(async () => {
    const config = scenarioFolder({ 'types/overlapping.yaml': TYPES })
    at = await install({ kind, config, settings: { limits: LIMITS } })
    ours = acceptedId(await at.submit(`<submit xmlns='urn:waybill:0' key='taken'>${order('ours')}</submit>`))
  })
  afterAll(() => at?.stop())

  async function nextDocumentPasses(): Promise<void> {
    acceptedId(await at.submit(order(`good-${counter}`), { id: `good-${counter++}` }))
    expect(at.waybill.running).toBe(true)
  }

  /** Sends it as whom it says to be from, under an id of its own. */
  function send(stanza: string): { readonly id: string; readonly answers: () => readonly string[] } {
    const id = `bad-${counter++}`
    const sender = stanza.includes("from='eve@other") ? at.other : at.peer
    const before = sender.received.length
    sender.send(stanza.replaceAll('{id}', id).replaceAll('{ours}', ours) + room(stanza))
    const isAnswer = (one: string) =>
      stanza.includes('{id}') ? attribute(one, 'id') === id || isUnsubscribed(one) : (attribute(one, 'id') ?? '') === ''
    return { id, answers: () => sender.received.slice(before).filter(isAnswer) }
  }

  for (const [name, rows] of Object.entries(badStanzas)) {
    it.each(rows.map((row) => [row[0], row] as const))(`${name}: %s`, async (what, [, stanza, expected, text = '']) => {
      const isNothing = expected === NOTHING || (kind === 'prosody' && droppedByProsody.includes(what))
      const { id, answers } = send(stanza)
      if (isNothing) unanswered.push(id)
      else await eventually(() => answers().length > 0, { what: 'an answer' })
      await nextDocumentPasses()
      expect(answers().map(verdictOf)).toEqual(isNothing ? [] : [expected])
      if (!isNothing) expect(plain(answers()[0]!)).toContain(text.replace('{ours}', ours))
    })
  }

  it('one sender too many is told when to try again, and others go on', async () => {
    const from = "from='flood@peer.example.test/1' to='waybill.example.test'"
    const headline = `<message type='headline' ${from}><a xmlns='urn:example:unknown'/></message>`
    at.peer.send(headline.repeat(LIMITS.perSender.perMinute + 20))
    const answer = await at.submit(order('flood'), { from: 'flood@peer.example.test/2' })
    expect(verdictOf(answer)).toBe('wait resource-constraint overloaded')
    expect(answer).toMatch(/retry-after=(["'])\d+\1/)
    await nextDocumentPasses()
  })

  it.each(['../orders', 'a@b', 'O PS', 'ops@elsewhere.example/x', ''])(
    'a document that would be sent to %j is kept as a dead letter, and sent nowhere',
    async (to) => {
      const note = `<note xmlns='urn:example:note'><to>${to}</to><text>hello</text></note>`
      const id = acceptedId(await at.submit(note))
      const { deliveries } = await eventually(async () => {
        const seen = await at.trace(id)
        return seen.state === 'dead' && seen
      })
      expect(deliveries).toMatchObject([{ state: 'dead', reason: 'address-refused' }])
      await nextDocumentPasses()
    },
  )

  it('a document that has passed eight routers is a dead letter, and goes no further', async () => {
    const via = `<via xmlns='urn:waybill:0' id='x' type='order' hops='8'/><request xmlns='urn:xmpp:receipts'/>`
    const { id } = send(
      `<message id='{id}' from='b@peer.example.test/1' to='waybill.example.test'>${order('round')}${via}</message>`,
    )
    const receipt = await at.peer.next((stanza) => stanza.includes(id) && stanza.includes('<received'))
    const trace = await eventually(async () => {
      const seen = await at.trace(acceptedId(receipt))
      return seen.state === 'dead' && seen
    })
    expect(trace.deliveries).toMatchObject([{ reason: 'loop' }])
    await nextDocumentPasses()
  })

  it.each(closesItsStream)('%s costs its sender the stream, and nobody else', async (_, text) => {
    at.other.send(text)
    await at.other.next((stanza) => stanza.startsWith('<stream:error'))
    at.other.close()
    await nextDocumentPasses()
    at.other = await eventually(() => connectRawComponent(at.server.component('other')))
  })

  it('a stanza that is never finished is never taken', async () => {
    at.other.send(`<iq type='set' id='cut' from='other.example.test' to='waybill.example.test'>${order('cut-off')}`)
    at.other.close()
    at.other = await eventually(() => connectRawComponent(at.server.component('other')))
    await nextDocumentPasses()
    expect(at.other.received.join('')).not.toContain('cut-off')
  })

  it('what is not to be answered never was, no stream was lost, and nothing failed', async () => {
    await nextDocumentPasses()
    const answered = at.peer.received.filter((stanza) => unanswered.includes(attribute(stanza, 'id') ?? ''))
    expect(answered).toEqual([])
    expect(unanswered.length).toBeGreaterThan(10)
    for (const event of ['connection-lost', 'stanza-failed', 'reply-failed'])
      expect(at.waybill.log()).not.toContain(event)
    expect(at.waybill.ready.pid).toBe(at.waybill.pid)
    expect((await at.ledger()).balanced).toBe(true)
  })
})

/** Expat from 2.6 on, which reads for Prosody, looks at a long tag that came in pieces only when as much again has come. */
const room = (stanza: string) => (stanza.length > 8_192 ? ' '.repeat(stanza.length) : '')

/** `TYPE CONDITION REASON`, or the type of what is no error. */
function verdictOf(stanza: string): string {
  const type = /<error\b[^>]*?\stype=(["'])(.*?)\1/.exec(stanza)?.[2]
  if (type === undefined) return attribute(stanza, 'type') ?? ''
  const condition = /<([a-z-]+)\b[^>]*?urn:ietf:params:xml:ns:xmpp-stanzas/.exec(stanza)?.[1]
  return `${type} ${condition} ${rejectedAs(stanza)}`.trim()
}

const isUnsubscribed = (stanza: string) => /^<presence\b[^>]*unsubscribed/.test(stanza)

/** Without what servers write differently. */
function plain(stanza: string): string {
  return stanza
    .replaceAll("='", '="')
    .replace(/'(?=[\s/>])/g, '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
}

describe('a bad configuration', () => {
  const files: Record<string, string> = {
    'waybill.yaml': 'xmpp: { domain: waybill.example.test, host: example.test, secret: unused }\n',
    ...wrongSchemas,
  }
  const expected = mistakes.map(([what, file, marked, message]) => {
    const { text, line, column } = takeMark(marked)
    const above = (files[file] ?? '').split('\n').length - 1
    files[file] = (files[file] ?? '') + text
    return [`${what} in ${file}`, `${file}:${above + line}:${column}  `, message] as const
  })
  let printed: readonly string[] = []
  beforeAll(async () => {
    const { code, stdout } = await command(['check', scenarioFolder(files)])
    expect(code).toBe(1)
    printed = stdout.trim().split('\n')
  })

  it.each(expected)('%s is told with its place', (_, place, message) => {
    expect(
      printed.filter((line) => line.startsWith(place) && line.includes(message)),
      printed.join('\n'),
    ).toHaveLength(1)
  })

  it('is told in the order of files and lines', () => {
    const places = printed.map((line) => {
      const [, file, ...at] = /^(\S+?):(\d+):(\d+) /.exec(line)!
      return [file === 'waybill.yaml' ? '' : file, ...at.map((number) => number.padStart(5))].join(' ')
    })
    expect(places).toEqual(places.toSorted())
  })

  it('has no other error than these', () => {
    const isExpected = (line: string) => expected.some(([, place]) => line.startsWith(place))
    expect(printed.filter((line) => line.includes('  error  ') && !isExpected(line))).toEqual([])
  })
})
