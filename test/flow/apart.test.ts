import { describe, expect, it } from 'vitest'
import type { Document } from '../../src/domain/document.ts'
import { element } from '../../src/domain/element.ts'
import { reject } from '../../src/domain/rejection.ts'
import { createIntake, type IntakeNeeds } from '../../src/flow/intake.ts'
import type { Acceptance, CheckedApart, InboundStanza } from '../../src/flow/ports.ts'
import { compileRoutes } from '../../src/matching/matcher.ts'
import { typeOf } from '../documents/given.ts'

const VALID: CheckedApart = { kind: 'validated', validation: { findings: [], fields: {} } }
const INVALID: CheckedApart = {
  kind: 'validated',
  validation: { findings: [{ layer: 'x', rule: 'r', severity: 'error', path: '', message: 'm' }], fields: {} },
}

const documentOf = (digest: string): Document => ({
  ...{ form: 'element', mediaType: 'application/xml', rootName: 'a', datatype: '', payload: '<a/>', bytes: 4 },
  ...{ content: { kind: 'xml', root: element('a', '') }, digest },
})

/** An intake in which ids that begin with `h` are heavy: they are checked when they are told to be. */
function createWorld({ keepsOrder }: { readonly keepsOrder: boolean }) {
  const taken: string[] = []
  const heavy = new Map<string, (checked: CheckedApart | Error) => void>()
  const type = typeOf('a')
  const uses = { count: 0 }
  const needs = {
    store: {
      async accept(acceptances: readonly Acceptance[]) {
        taken.push(...acceptances.map(({ envelope }) => envelope.document.digest))
        return acceptances.map(({ envelope }) => ({ kind: 'accepted', id: envelope.id }))
      },
    },
    wakes: { wake: async () => {} },
    now: () => 0,
    log: () => {},
    dedupeWindowMs: 1_000,
    rate: { take: () => undefined, charge: () => {} },
    inHandLimit: 100,
    inHandBytes: 1_000_000,
    metrics: { accepted: () => {}, rejected: () => {} },
    ruling: () => ({
      documents: {
        carriesNothing: () => false,
        extract: ({ id, from, to }: InboundStanza) => {
          const origin = { from, to, stanza: 'iq', stanzaId: id, node: '', item: '', headers: {}, hops: 0 }
          return { kind: 'submissions', submissions: [{ document: documentOf(id), origin, submit: {} }] }
        },
        identify: () => ({ kind: 'type', type }),
        validate: () => VALID.kind === 'validated' && VALID.validation,
      },
      checkers: {
        validate({ digest }: Document) {
          if (!digest.startsWith('h')) return undefined
          return new Promise<CheckedApart>((resolve, rejectIt) => {
            heavy.set(digest, (checked) => (checked instanceof Error ? rejectIt(checked) : resolve(checked)))
          })
        },
      },
      matcher: compileRoutes([], () => ({ kind: 'error', message: 'none' })).matcher,
      senders: () => true,
      typeSenders: new Map(),
      keepsOrder,
      uses,
    }),
  } as unknown as IntakeNeeds
  const intake = createIntake(needs)
  const answers: string[] = []
  return {
    taken,
    answers,
    heavy,
    uses,
    send(id: string, from = 'a@x.example/r') {
      const stanza = {
        kind: 'iq',
        element: element('iq', 'jabber:component:accept'),
        from,
        to: 'w.example',
        id,
      } as const
      return intake(stanza).then(
        (reply) => void answers.push(`${id} ${reply.kind === 'rejected' ? reply.rejection.kind : reply.kind}`),
        (error: Error) => void answers.push(`${id} ${error.message}`),
      )
    },
  }
}

/** What can go on has gone on. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('documents that are checked apart', () => {
  it('let nothing of their sender overtake them where a route asks for an order, and everything of others', async () => {
    const { send, taken, heavy } = createWorld({ keepsOrder: true })
    const all = [send('h1'), send('2', 'a@x.example/other'), send('h3'), send('4'), send('5', 'b@x.example/r')]
    await settled()
    expect(taken).toEqual(['5'])
    heavy.get('h3')!(VALID)
    await settled()
    expect(taken).toEqual(['5'])
    heavy.get('h1')!(VALID)
    await Promise.all(all)
    expect(taken).toEqual(['5', 'h1', '2', 'h3', '4'])
  })

  it('are overtaken where no route asks for an order', async () => {
    const { send, taken, heavy } = createWorld({ keepsOrder: false })
    const all = [send('h1'), send('2'), send('3')]
    await settled()
    expect(taken).toEqual(['2', '3'])
    heavy.get('h1')!(VALID)
    await Promise.all(all)
    expect(taken).toEqual(['2', '3', 'h1'])
  })

  it('hold nobody up when they are refused, and let nobody pass before those ahead of them', async () => {
    const { send, taken, answers, heavy } = createWorld({ keepsOrder: true })
    const all = [send('h1'), send('h2'), send('3')]
    await settled()
    heavy.get('h2')!(INVALID)
    await settled()
    const fourth = send('4')
    await settled()
    expect(answers).toEqual(['h2 invalid'])
    heavy.get('h1')!({ kind: 'rejected', rejection: reject('overloaded', 'Cannot check more now', [], 5) })
    await Promise.all([...all, fourth])
    expect(answers).toEqual(['h2 invalid', 'h1 overloaded', '3 accepted', '4 accepted'])
    expect(taken).toEqual(['3', '4'])
  })

  it('hold nobody up when checking them fails', async () => {
    const { send, answers, taken, heavy } = createWorld({ keepsOrder: true })
    const all = [send('h1'), send('2')]
    await settled()
    heavy.get('h1')!(new Error('a fault of ours'))
    await Promise.all(all)
    expect(answers).toEqual(['h1 a fault of ours', '2 accepted'])
    expect(taken).toEqual(['2'])
  })

  it('keep the rules that they are checked by in use until they are answered, however it ends', async () => {
    const { send, heavy, uses } = createWorld({ keepsOrder: false })
    const all = [send('h1'), send('h2'), send('l3')]
    await settled()
    expect(uses.count).toBe(2)
    heavy.get('h1')!(VALID)
    heavy.get('h2')!(new Error('a fault of ours'))
    await Promise.all(all)
    expect(uses.count).toBe(0)
  })
})
