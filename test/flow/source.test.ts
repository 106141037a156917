import { describe, expect, it } from 'vitest'
import type { Document, Origin } from '../../src/domain/document.ts'
import { element } from '../../src/domain/element.ts'
import { type Rejection, reject } from '../../src/domain/rejection.ts'
import {
  type AcceptAnswer,
  type Acceptance,
  type InboundStanza,
  type ItemStanding,
  type Outlet,
  type StartedAttempt,
  StoreUnavailable,
} from '../../src/flow/ports.ts'
import { createSources, markOwn, type NodeItem, type SourceNeeds, type Sources } from '../../src/flow/source.ts'

const SOURCE = 'xmpp:pubsub.example.test?;node=in'
const OWN = '01890a5d-ac96-774b-bcce-b302099a8057'

/** An item whose id says what becomes of it; what stands behind a `:` is its content. */
function item(name: string, from = 'a@peer.example.test'): NodeItem {
  const [id = '', text = 'x'] = name.split(':')
  const stanza: InboundStanza = { kind: 'event', element: element(text, ''), from, to: 'w.example.test', id: '' }
  return { id, stanza }
}

interface Scene extends Sources {
  readonly accepted: string[]
  readonly passed: string[]
  readonly counted: string[]
  readonly alarms: string[]
  standing: Record<string, ItemStanding>
  away: boolean
  limit: number
  readonly uses: { count: number }
  /** How often the rules were in use while items were looked at. */
  usesMost: number
}

function scene(): Scene {
  const state = {
    accepted: [] as string[],
    passed: [] as string[],
    counted: [] as string[],
    alarms: [] as string[],
    standing: {} as Record<string, ItemStanding>,
    away: false,
    limit: Number.POSITIVE_INFINITY,
    uses: { count: 0 },
    usesMost: 0,
  }
  const document = (digest: string): Document => ({
    form: 'element',
    mediaType: 'application/xml',
    rootName: digest,
    datatype: '',
    content: { kind: 'opaque' },
    payload: '',
    bytes: 1,
    digest,
  })
  const documents = {
    carriesNothing: () => false,
    extract: (stanza: InboundStanza) => {
      const { name } = stanza.element
      const all = [...known.values()]
      const id = all.find((one) => one.stanza === stanza)!.id
      if (id.startsWith('empty')) return { kind: 'rejected' as const, rejection: reject('no-document', 'no payload') }
      const origin: Origin = {
        from: stanza.from,
        to: stanza.to,
        stanza: 'event',
        stanzaId: '',
        node: 'in',
        item: id,
        headers: {},
        hops: 0,
      }
      return {
        kind: 'submissions' as const,
        submissions: [{ document: document(`${id}:${name}`), origin, submit: {} }],
      }
    },
    identify: ({ digest }: Document) =>
      digest.startsWith('unknown')
        ? { kind: 'rejected' as const, rejection: reject('unknown-type', 'nobody knows it') }
        : { kind: 'opaque' as const },
    validate: () => ({ findings: [], fields: {} }),
  }
  const known = new Set<NodeItem>()
  const answer = (acceptances: readonly Acceptance[]): readonly AcceptAnswer[] => {
    const room = state.limit - state.accepted.length
    const answers = acceptances.map(({ envelope, taken }, at): AcceptAnswer => {
      if (taken!.item.startsWith('conflict')) return { kind: 'key-conflict', id: 'first' }
      if (at >= room) return { kind: 'overloaded', waiting: 9, limit: 9, scope: 'all' }
      return { kind: 'accepted', id: envelope.id }
    })
    if (answers.every(({ kind }) => kind === 'accepted')) {
      for (const { taken, claim } of acceptances) state.accepted.push(`${taken!.item}${claim ? ' claimed' : ''}`)
    }
    return answers
  }
  const needs = {
    store: {
      accept: async (acceptances: readonly Acceptance[]) => {
        if (state.away) throw new StoreUnavailable('away')
        return answer(acceptances)
      },
      trace: async (id: string) => (id === OWN ? {} : undefined),
    },
    wakes: { wake: async () => {} },
    checkpoints: {
      standing: async (_source: string, items: readonly { item: string; digest: string }[]) =>
        items.map(({ item: id, digest }) => state.standing[id] ?? state.standing[digest] ?? 'new'),
      passOver: async (_source: string, items: readonly { item: string; digest: string }[]) => {
        for (const one of items) state.passed.push(`${one.item} ${one.digest}`)
      },
    },
    ruling: () => ({
      documents,
      matcher: { match: () => ({ deliveries: [], impossible: [], refused: [] }) },
      senders: (from: string) => {
        state.usesMost = Math.max(state.usesMost, state.uses.count)
        return !from.startsWith('evil')
      },
      typeSenders: new Map(),
      uses: state.uses,
    }),
    rate: {
      take: (from: string): Rejection | undefined =>
        from.startsWith('hasty') ? reject('overloaded', 'too many', [], 3) : undefined,
    },
    metrics: {
      item: (outcome: string) => state.counted.push(outcome),
      rejected: () => {},
      duplicate: () => {},
      accepted: () => {},
    },
    alarm: (cause: string) => state.alarms.push(cause),
    now: Date.now,
    log: () => {},
    dedupeWindowMs: 1,
  }
  const sources = createSources(needs as unknown as SourceNeeds)
  return Object.assign(state, {
    untaken: (source: string, items: readonly NodeItem[]) => {
      for (const one of items) known.add(one)
      return sources.untaken(source, items)
    },
    take: sources.take,
  })
}

async function take(at: Scene, items: readonly NodeItem[]) {
  return at.take(SOURCE, await at.untaken(SOURCE, items))
}

describe('items of a subscribed node', () => {
  it('keep the rules that they are checked by in use as long as they are looked at', async () => {
    const at = scene()
    await take(at, [item('a'), item('unknown'), item('b')])
    expect([at.usesMost, at.uses.count]).toEqual([1, 0])
  })

  it('are accepted in one step and in their order, marked as taken, without a claim that would be forgotten', async () => {
    const at = scene()
    expect(
      await take(
        at,
        ['1', '2', '3'].map((id) => item(id)),
      ),
    ).toEqual({ done: 3 })
    expect(at.accepted).toEqual(['1', '2', '3'])
    expect(at.counted).toEqual(['taken', 'taken', 'taken'])
  })

  it('that were taken before, or are our own, are left out and counted', async () => {
    const at = scene()
    at.standing = { '1': 'taken', '3': 'own' }
    await take(
      at,
      ['1', '2', '3'].map((id) => item(id)),
    )
    expect([at.accepted, at.counted]).toEqual([['2'], ['known', 'own', 'taken']])
  })

  it('with one id count by what stood before: the last content alone is known', async () => {
    const at = scene()
    at.standing = { 's:on': 'taken' }
    await take(
      at,
      ['s:on', 's:off', 's:off', 's:off', 's:on'].map((name) => item(name)),
    )
    expect(at.accepted).toEqual(['s', 's'])
    expect(at.counted).toEqual(['known', 'known', 'known', 'taken', 'taken'])
  })

  it('that are our own stay so, whatever they hold by now', async () => {
    const at = scene()
    at.standing = { s: 'own' }
    await take(
      at,
      ['s:on', 's:on', 's:off'].map((name) => item(name)),
    )
    expect([at.accepted, at.counted]).toEqual([[], ['own', 'own', 'own']])
  })

  const refusals: readonly [string, NodeItem, string, string][] = [
    ['of a type that nobody knows', item('unknown'), 'unknown unknown:x', 'unknown-type'],
    ['without a document', item('empty'), 'empty no-document', 'no-document'],
    ['from somebody who may not send', item('2', 'evil@example.test'), '2 2:x', 'not-allowed'],
    ['with the key of another document', item('conflict'), 'conflict conflict:x', 'key-conflict'],
  ]
  it.each(refusals)(
    '%s are passed over for good and told of; the others are taken',
    async (_what, bad, mark, reason) => {
      const at = scene()
      expect(await take(at, [item('1'), bad, item('3')])).toEqual({ done: 3 })
      expect([at.accepted, at.passed]).toEqual([['1', '3'], [mark]])
      expect(at.alarms).toEqual([`item-refused ${SOURCE} ${reason}`])
      expect(at.counted.filter((outcome) => outcome === 'refused')).toHaveLength(1)
    },
  )

  it('that were made here are passed over without a word', async () => {
    const at = scene()
    expect(await take(at, [item(OWN), item('2')])).toEqual({ done: 2 })
    expect([at.accepted, at.passed, at.alarms]).toEqual([['2'], [`${OWN} own`], []])
  })

  it('wait from the first that finds no room on, those before it being taken', async () => {
    const at = scene()
    at.limit = 1
    const progress = await take(at, [item('1'), item('unknown'), item('3'), item('empty')])
    expect(progress).toEqual({
      done: 2,
      later: { reason: expect.stringContaining('Cannot take more now'), afterMs: 10_000 },
    })
    expect([at.accepted, at.passed]).toEqual([['1'], ['unknown unknown:x']])
  })

  it('wait from the first that comes too fast on', async () => {
    const at = scene()
    const progress = await take(at, [item('1'), item('2', 'hasty@example.test'), item('3')])
    expect(progress).toEqual({ done: 1, later: { reason: 'too many', afterMs: 3_000 } })
    expect(at.accepted).toEqual(['1'])
  })

  it('wait, and none is passed over, while the store is away', async () => {
    const at = scene()
    at.away = true
    const progress = await take(at, [item('1'), item('unknown')])
    expect(progress).toMatchObject({ done: 0, later: { afterMs: 5_000 } })
    expect([at.accepted, at.passed, at.alarms]).toEqual([[], [], []])
  })
})

describe('what is published into a subscribed node', () => {
  const attempt = (node: string) =>
    ({ envelopeId: OWN, destination: { kind: 'node', service: 'pubsub.example.test', node } }) as StartedAttempt
  const outlet: Outlet = {
    send: async () => ({ kind: 'delivered', proof: 'result' }),
    notify: () => {},
    online: true,
  }

  it('is marked as our own before it is written; other nodes are no matter', async () => {
    const marks: string[] = []
    const passOver = async (source: string, items: readonly { item: string; digest: string }[]) => {
      marks.push(`${source} ${items[0]!.item} ${items[0]!.digest}`)
    }
    const marking = markOwn(outlet, (name) => name === SOURCE, { passOver })
    expect(await marking.send(attempt('out'))).toMatchObject({ kind: 'delivered' })
    expect(marks).toEqual([])
    expect(await marking.send(attempt('in'))).toMatchObject({ kind: 'delivered' })
    expect(marks).toEqual([`${SOURCE} ${OWN} own`])
  })

  it('is not written where it could not be marked, and burns no attempt by that', async () => {
    const passOver = async () => {
      throw new StoreUnavailable('away')
    }
    expect(await markOwn(outlet, () => true, { passOver }).send(attempt('in'))).toEqual({
      kind: 'void',
      reason: 'away',
    })
  })
})
