import { describe, expect, it } from 'vitest'
import type { Document } from '../../src/domain/document.ts'
import { element } from '../../src/domain/element.ts'
import { createIntake, type IntakeNeeds } from '../../src/flow/intake.ts'
import type { AcceptAnswer, Acceptance, InboundStanza } from '../../src/flow/ports.ts'
import { compileRoutes } from '../../src/matching/matcher.ts'

const stanza = (id: string): InboundStanza => ({
  kind: 'iq',
  element: element('iq', 'jabber:component:accept'),
  from: 'a@x.example/r',
  to: 'waybill.example',
  id,
})

/** An intake whose store answers when it is told to; the stanza's id is the size of its document. */
function createWorld(inHandBytes: number, answerOf: (one: Acceptance) => AcceptAnswer = accepted) {
  const waiting: (() => void)[] = []
  const counted: string[] = []
  const documentOf = (bytes: number): Document => {
    const content = { kind: 'opaque' } as const
    return {
      form: 'sealed',
      mediaType: 'image/png',
      rootName: '',
      datatype: '',
      content,
      payload: '',
      bytes,
      digest: 'd',
    }
  }
  const needs = {
    store: {
      accept: (acceptances: readonly Acceptance[]) =>
        new Promise((resolve) => waiting.push(() => resolve(acceptances.map(answerOf)))),
    },
    wakes: { wake: async () => {} },
    now: () => 0,
    log: () => {},
    dedupeWindowMs: 1_000,
    rate: { take: () => undefined, charge: () => {} },
    inHandLimit: 100,
    inHandBytes,
    metrics: {
      accepted: () => counted.push('accepted'),
      claimReplaced: (type: string) => counted.push(`replaced ${type}`),
      rejected: (kind: string) => counted.push(`rejected ${kind}`),
    },
    ruling: () => ({
      documents: {
        carriesNothing: () => false,
        extract: ({ id, from, to }: InboundStanza) => {
          const origin = { from, to, stanza: 'iq', stanzaId: id, node: '', item: '', headers: {}, hops: 0 }
          return { kind: 'submissions', submissions: [{ document: documentOf(Number(id)), origin, submit: {} }] }
        },
        identify: () => ({ kind: 'opaque' }),
      },
      matcher: compileRoutes([], () => ({ kind: 'error', message: 'none' })).matcher,
      senders: () => true,
      typeSenders: new Map(),
    }),
  } as unknown as IntakeNeeds
  return {
    intake: createIntake(needs),
    counted,
    answerAll: () => {
      for (const answer of waiting.splice(0)) answer()
    },
  }
}

function accepted({ envelope }: Acceptance): AcceptAnswer {
  return { kind: 'accepted', id: envelope.id }
}

describe('documents in hand', () => {
  it('are bounded in bytes: more is overloaded, until those in hand are answered', async () => {
    const { intake, answerAll } = createWorld(1_000)
    const first = [intake(stanza('600')), intake(stanza('400'))]
    const refused = await intake(stanza('1'))
    expect(refused).toMatchObject({ kind: 'rejected', rejection: { kind: 'overloaded', retryAfterSeconds: 2 } })
    expect(JSON.stringify(refused)).toContain('1000 bytes of documents are in hand, the limit is 1000')
    answerAll()
    expect((await Promise.all(first)).map(({ kind }) => kind)).toEqual(['accepted', 'accepted'])
    const next = intake(stanza('1000'))
    await Promise.resolve()
    answerAll()
    expect((await next).kind).toBe('accepted')
  })

  it('are one at least, however large it is', async () => {
    const { intake, answerAll } = createWorld(1_000)
    const large = intake(stanza('5000'))
    await Promise.resolve()
    expect((await intake(stanza('1'))).kind).toBe('rejected')
    answerAll()
    expect((await large).kind).toBe('accepted')
  })
})

describe('a document that takes over the stanza id of another one', () => {
  it('is accepted and counted', async () => {
    const { intake, answerAll, counted } = createWorld(1_000, (one) => ({
      kind: 'accepted',
      id: one.envelope.id,
      replaced: true,
    }))
    const answer = intake(stanza('1'))
    await Promise.resolve()
    answerAll()
    expect((await answer).kind).toBe('accepted')
    expect(counted).toEqual(['replaced opaque', 'accepted'])
  })
})
