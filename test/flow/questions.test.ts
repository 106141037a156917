import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Assembly, assemble } from '../../src/assemble.ts'
import { type DeliveryTrace, type EnvelopeTrace, StoreUnavailable } from '../../src/flow/ports.ts'
import { createQuestions, type Questions } from '../../src/flow/questions.ts'
import { limitRate } from '../../src/flow/senders.ts'
import { standingOf } from '../../src/flow/standing.ts'
import { stanza } from '../xmpp/stanza.ts'

const ID = '01890a5d-ac96-774b-bcce-b302099a8057'
const SENDER = 'a@peer.example.test/x'
const ADMIN = 'ops@peer.example.test/desk'
const CONFIG = fileURLToPath(new URL('../scenarios/config/', import.meta.url))
const WAYBILL = `
xmpp: { domain: waybill.example.test, host: example.test, secret: s3cr3t-0 }
senders: ["*@peer.example.test"]
admins: ["ops@peer.example.test"]
`

let folder: string
let assembly: Assembly

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'waybill-questions-'))
  cpSync(CONFIG, folder, { recursive: true })
  writeFileSync(join(folder, 'waybill.yaml'), WAYBILL)
  const assembled = await assemble(folder, {})
  expect(assembled.problems.filter(({ severity }) => severity === 'error')).toEqual([])
  assembly = assembled.assembly!
})
afterAll(() => {
  assembly?.documents.dispose()
  rmSync(folder, { recursive: true, force: true })
})

function delivery(state: DeliveryTrace['state'], reason?: string): DeliveryTrace {
  const destination = 'erp@backend.example'
  return { id: `${ID}.0`, destination, route: 'r', state, tries: 1, attempts: [], ...(reason && { reason }) }
}

function envelope(changes: Partial<EnvelopeTrace> = {}): EnvelopeTrace {
  return {
    id: ID,
    type: 'order',
    origin: {
      from: SENDER,
      to: 'waybill.example.test',
      stanza: 'iq',
      stanzaId: '1',
      node: '',
      item: '',
      headers: {},
      hops: 0,
    },
    submit: {},
    fields: {},
    receivedAtMs: 1_800_000_000_000,
    form: 'element',
    mediaType: 'application/xml',
    rootName: '{urn:example:order}order',
    datatype: '',
    bytes: 10,
    digest: 'd',
    state: 'dead',
    deliveries: [delivery('delivered'), delivery('dead', 'refused')],
    ...changes,
  }
}

function questionsOn(trace: (id: string) => Promise<EnvelopeTrace | undefined>, perMinute = 1_000): Questions {
  return createQuestions({
    store: { trace },
    ruling: () => assembly.ruling,
    offered: () => assembly.offered,
    admins: () => assembly.configuration.settings.admins,
    rate: limitRate(perMinute, 'questions'),
    now: Date.now,
    log: () => {},
    inHandLimit: 10,
  })
}

describe('what a sender may know of a document', () => {
  const cases: readonly { what: string; trace: EnvelopeTrace; counts: object; reasons: readonly object[] }[] = [
    {
      what: 'counts by state, and reasons with their counts',
      trace: envelope({
        deliveries: [
          delivery('delivered'),
          delivery('dead', 'refused'),
          delivery('dead', 'refused'),
          delivery('expired', 'expired'),
        ],
      }),
      counts: { waiting: 0, delivered: 1, dead: 2, expired: 1, dropped: 0 },
      reasons: [
        { state: 'dead', reason: 'refused', count: 2 },
        { state: 'expired', reason: 'expired', count: 1 },
      ],
    },
    {
      what: 'a document without a route has no deliveries and one reason',
      trace: envelope({ reason: 'no-route', deliveries: [] }),
      counts: { waiting: 0, delivered: 0, dead: 0, expired: 0, dropped: 0 },
      reasons: [{ state: 'dead', reason: 'no-route', count: 1 }],
    },
    {
      what: 'what an operator wrote about a drop is not for senders',
      trace: envelope({ state: 'dropped', deliveries: [delivery('dropped', 'erp is gone (ops@peer.example.test)')] }),
      counts: { waiting: 0, delivered: 0, dead: 0, expired: 0, dropped: 1 },
      reasons: [{ state: 'dropped', reason: 'dropped', count: 1 }],
    },
    {
      what: 'what waits needs no reason',
      trace: envelope({ state: 'waiting', deliveries: [delivery('waiting')] }),
      counts: { waiting: 1, delivered: 0, dead: 0, expired: 0, dropped: 0 },
      reasons: [],
    },
  ]
  it.each(cases)('$what', ({ trace, counts, reasons }) => {
    expect(standingOf(trace)).toMatchObject({ id: ID, deliveries: trace.deliveries.length, counts, reasons })
  })
})

describe('track', () => {
  const cases: readonly {
    what: string
    from: string
    id?: string
    known?: boolean
    answer: 'full' | 'own' | 'none'
  }[] = [
    { what: 'the sender sees counts', from: SENDER, answer: 'own' },
    { what: 'the same account from another device sees counts', from: 'a@peer.example.test/y', answer: 'own' },
    { what: 'another account finds nothing', from: 'b@peer.example.test/x', answer: 'none' },
    { what: 'the domain of the sender finds nothing', from: 'peer.example.test', answer: 'none' },
    { what: 'an administrator sees deliveries', from: ADMIN, answer: 'full' },
    { what: 'an unknown document is not found', from: SENDER, known: false, answer: 'none' },
    { what: 'an administrator does not find an unknown one either', from: ADMIN, known: false, answer: 'none' },
    { what: 'what is no envelope id is not found', from: SENDER, id: 'x', answer: 'none' },
  ]
  it.each(cases)('$what', async ({ from, id = ID, known = true, answer }) => {
    const asked: string[] = []
    const questions = questionsOn(async (one) => {
      asked.push(one)
      return known ? envelope() : undefined
    })
    const given = await questions.track(id, from)
    if (answer === 'none') expect(given).toEqual({ kind: 'not-found' })
    else expect(given).toMatchObject({ kind: 'found', standing: { state: 'dead' } })
    expect('deliveries' in given).toBe(answer === 'full')
    expect(asked).toEqual(id === ID ? [ID] : [])
  })

  it('a sender who asks too much is told so, and an administrator is not limited', async () => {
    const questions = questionsOn(async () => undefined, 2)
    const answers = []
    for (let n = 0; n < 3; n++) answers.push(await questions.track(ID, SENDER))
    expect(answers.map(({ kind }) => kind)).toEqual(['not-found', 'not-found', 'rejected'])
    for (let n = 0; n < 3; n++) expect((await questions.track(ID, ADMIN)).kind).toBe('not-found')
  })

  it('Redis away is unavailable, not unknown', async () => {
    const questions = questionsOn(() => Promise.reject(new StoreUnavailable('gone')))
    expect(await questions.track(ID, SENDER)).toMatchObject({ kind: 'rejected', rejection: { kind: 'unavailable' } })
  })

  it('questions beyond the limit are refused while others are in hand', async () => {
    let release!: () => void
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined)
    })
    const questions = questionsOn(() => held)
    const inHand = Array.from({ length: 10 }, () => questions.track(ID, SENDER))
    expect(await questions.track(ID, SENDER)).toMatchObject({ kind: 'rejected', rejection: { kind: 'overloaded' } })
    release()
    await Promise.all(inHand)
    expect(await questions.track(ID, SENDER)).toEqual({ kind: 'not-found' })
  })
})

describe('trace', () => {
  const order = `<order xmlns='urn:example:order'><number>1</number><currency>EUR</currency><total>1000</total><line sku='a' quantity='1'/></order>`
  const inbound = (document: string, from: string, attributes = '') => ({
    kind: 'iq' as const,
    element: stanza(
      `<iq type='get' id='t' from='${from}' to='waybill.example.test'><trace xmlns='urn:waybill:0' ${attributes}>${document}</trace></iq>`,
    ),
    from,
    to: 'waybill.example.test',
    id: 't',
  })
  const nobody = () => Promise.reject(new Error('nothing is looked up'))

  it('tells the type, the deliveries and the routes of a document that would be accepted', async () => {
    const answer = await questionsOn(nobody).trace(inbound(order, ADMIN), undefined)
    if (answer.kind !== 'traced' || answer.trace.verdict !== 'accepted') throw new Error(JSON.stringify(answer))
    expect(answer.full).toBe(true)
    expect(answer.trace.type).toBe('order')
    const { decision, routes } = answer.trace.explanation!
    expect(answer.trace.decision).toEqual(decision)
    expect(decision.routes).toEqual(['eur-orders', 'orders'])
    expect(routes.find(({ route }) => route === 'many-lines')).toMatchObject({ outcome: 'fails' })
  })

  it('takes the same decision for a sender, without asking every route for its reasons', async () => {
    const sender = await questionsOn(nobody).trace(inbound(order, SENDER), undefined)
    const admin = await questionsOn(nobody).trace(inbound(order, ADMIN), SENDER)
    if (sender.kind !== 'traced' || sender.trace.verdict !== 'accepted') throw new Error(JSON.stringify(sender))
    expect(sender.trace.explanation).toBeUndefined()
    expect(admin).toMatchObject({ trace: { decision: sender.trace.decision, fields: sender.trace.fields } })
  })

  const verdicts: readonly {
    what: string
    document: string
    attributes?: string
    from: string
    as?: string
    verdict: object
  }[] = [
    { what: 'a valid document', document: order, from: SENDER, verdict: { verdict: 'accepted' } },
    {
      what: 'a prefix that is bound outside of the document',
      attributes: `xmlns:o='urn:example:order'`,
      document: `<o:order><o:number>1</o:number><o:currency>EUR</o:currency><o:total>1</o:total><o:line sku='a' quantity='1'/></o:order>`,
      from: SENDER,
      verdict: { verdict: 'accepted' },
    },
    {
      what: 'an invalid document',
      document: `<order xmlns='urn:example:order'/>`,
      from: SENDER,
      verdict: { verdict: 'rejected', type: 'order', rejection: { kind: 'invalid' } },
    },
    {
      what: 'a type that nobody knows',
      document: `<parcel xmlns='urn:example:parcel'/>`,
      from: SENDER,
      verdict: { verdict: 'rejected', rejection: { kind: 'unknown-type' } },
    },
    {
      what: 'a document that no route matches',
      document: `<order xmlns='urn:example:secret'/>`,
      from: 'boss@peer.example.test/x',
      verdict: { verdict: 'no-route', type: 'secret-order' },
    },
    {
      what: 'a type that the sender may not send',
      document: `<order xmlns='urn:example:secret'/>`,
      from: SENDER,
      verdict: { verdict: 'rejected', rejection: { kind: 'not-allowed' } },
    },
    {
      what: 'the same in the name of one who may',
      document: `<order xmlns='urn:example:secret'/>`,
      from: ADMIN,
      as: 'boss@peer.example.test',
      verdict: { verdict: 'no-route', type: 'secret-order' },
    },
    {
      what: 'a document in the name of one who may send nothing',
      document: order,
      from: ADMIN,
      as: 'a@elsewhere.example',
      verdict: { verdict: 'rejected', rejection: { kind: 'not-allowed' } },
    },
    { what: 'nothing at all', document: '', from: SENDER, verdict: { rejection: { kind: 'no-document' } } },
    {
      what: 'two documents',
      document: order + order,
      from: SENDER,
      verdict: { rejection: { kind: 'several-documents' } },
    },
  ]
  it.each(verdicts)('the verdict on $what', async ({ document, attributes = '', from, as, verdict }) => {
    const answer = await questionsOn(nobody).trace(inbound(document, from, attributes), as)
    expect(answer).toMatchObject({ kind: 'traced', trace: verdict, full: from === ADMIN })
  })

  it('only administrators ask in the name of others, and only senders ask at all', async () => {
    const questions = questionsOn(nobody)
    const refused = { kind: 'rejected', rejection: { kind: 'not-allowed' } }
    expect(await questions.trace(inbound(order, SENDER), 'boss@peer.example.test')).toMatchObject(refused)
    expect(await questions.trace(inbound(order, 'a@elsewhere.example/x'), undefined)).toMatchObject(refused)
  })
})
