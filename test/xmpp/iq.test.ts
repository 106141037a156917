import { describe, expect, it } from 'vitest'
import { answerOf, createRequests } from '../../src/xmpp/iq.ts'
import { child } from './stream-text.ts'

const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const PUBSUB = 'http://jabber.org/protocol/pubsub#errors'

describe('what an error stanza says', () => {
  const cases: readonly { what: string; error: string; says: readonly [string, string, string] }[] = [
    {
      what: 'condition, type and text',
      error: `<error type='wait'><resource-constraint xmlns='${STANZAS}'/><text xmlns='${STANZAS}'>full</text></error>`,
      says: ['resource-constraint', 'wait', 'full'],
    },
    {
      what: 'text before the condition',
      error: `<error type='auth'><text xmlns='${STANZAS}'>no</text><forbidden xmlns='${STANZAS}'/></error>`,
      says: ['forbidden', 'auth', 'no'],
    },
    {
      what: "PubSub's own condition is preferred",
      error: `<error type='modify'><not-acceptable xmlns='${STANZAS}'/><payload-too-big xmlns='${PUBSUB}'/></error>`,
      says: ['payload-too-big', 'modify', ''],
    },
    {
      what: "PubSub's own condition is preferred where it comes first",
      error: `<error type='cancel'><precondition-not-met xmlns='${PUBSUB}'/><conflict xmlns='${STANZAS}'/></error>`,
      says: ['precondition-not-met', 'cancel', ''],
    },
    {
      what: 'conditions of others are not ours',
      error: `<error type='cancel'><odd xmlns='urn:other'/><gone xmlns='${STANZAS}'>xmpp:b@example.org</gone></error>`,
      says: ['gone', 'cancel', ''],
    },
    { what: 'no error at all', error: '', says: ['undefined-condition', 'cancel', ''] },
    { what: 'an empty error', error: `<error/>`, says: ['undefined-condition', 'cancel', ''] },
    {
      what: 'an unknown type',
      error: `<error type='odd'><gone xmlns='${STANZAS}'/></error>`,
      says: ['gone', 'cancel', ''],
    },
    {
      what: 'an error of another namespace',
      error: `<error xmlns='urn:other' type='wait'/>`,
      says: ['undefined-condition', 'cancel', ''],
    },
    {
      what: 'an error behind the payload that failed',
      error: `<query xmlns='urn:q'/><error type='wait'><conflict xmlns='${STANZAS}'/></error>`,
      says: ['conflict', 'wait', ''],
    },
  ]
  for (const { what, error, says } of cases) {
    it(what, () => {
      const { condition, type, text } = answerOf(child(`<iq type='error'>${error}</iq>`))
      expect([condition, type, text]).toEqual(says)
    })
  }
})

describe('requests and answers', () => {
  const ask = (to = 'b@example.test/R', timeoutMs = 5_000) => {
    const requests = createRequests('waybill.example.test')
    const { id, text, answer } = requests.add({ to, type: 'get', payload: `<q xmlns='u'/>`, timeoutMs })
    return { requests, id, text, answer }
  }

  it('a request is a stanza with an id that nobody can guess', () => {
    const [one, two] = [ask(), ask()]
    expect(one.text).toBe(
      `<iq type="get" id="${one.id}" from="waybill.example.test" to="b@example.test/R"><q xmlns='u'/></iq>`,
    )
    expect(one.id).toMatch(/^[0-9a-f-]{36}$/)
    expect(one.id).not.toBe(two.id)
    one.requests.lose()
    two.requests.lose()
  })

  it('what is in an address stays in its attribute', () => {
    const { requests, text } = ask(`a"<&'@example.test`)
    expect(text).toContain(`to="a&quot;&lt;&amp;&apos;@example.test"`)
    requests.lose()
  })

  const answers: readonly { what: string; to?: string; stanza: string; taken: string }[] = [
    { what: 'a result', stanza: `<iq type='result' id='ID' from='b@example.test/R'/>`, taken: 'answered' },
    { what: 'an error', stanza: `<iq type='error' id='ID' from='b@example.test/R'/>`, taken: 'answered' },
    {
      what: 'an address in other letters',
      stanza: `<iq type='result' id='ID' from='B@Example.TEST/R'/>`,
      taken: 'answered',
    },
    { what: 'another resource', stanza: `<iq type='result' id='ID' from='b@example.test/r'/>`, taken: 'foreign' },
    {
      what: 'the bare address instead of the full',
      stanza: `<iq type='result' id='ID' from='b@example.test'/>`,
      taken: 'foreign',
    },
    { what: 'somebody else', stanza: `<iq type='result' id='ID' from='eve@example.test'/>`, taken: 'foreign' },
    { what: 'nobody', stanza: `<iq type='result' id='ID'/>`, taken: 'foreign' },
    { what: 'no address at all', stanza: `<iq type='result' id='ID' from='@'/>`, taken: 'foreign' },
    { what: 'another id', stanza: `<iq type='result' id='x' from='b@example.test/R'/>`, taken: 'none' },
    { what: 'no id', stanza: `<iq type='result' from='b@example.test/R'/>`, taken: 'none' },
    { what: 'a request with the id', stanza: `<iq type='get' id='ID' from='b@example.test/R'/>`, taken: 'none' },
    { what: 'a message with the id', stanza: `<message type='error' id='ID' from='b@example.test/R'/>`, taken: 'none' },
  ]
  for (const { what, stanza, taken } of answers) {
    it(`${what} is ${taken}`, async () => {
      const { requests, id, answer } = ask()
      const element = child(stanza.replace('ID', id))
      expect(requests.take(element)).toBe(taken)
      if (taken !== 'answered')
        requests.take(child(`<iq type='result' id='${id}' from='b@example.test/R'><right/></iq>`))
      const { kind } = await answer
      expect(kind).toBe(stanza.includes("'error'") && taken === 'answered' ? 'error' : 'result')
    })
  }

  it('an error without words is an undefined condition', async () => {
    const { requests, id, answer } = ask()
    requests.take(child(`<iq type='error' id='${id}' from='b@example.test/R'/>`))
    expect(await answer).toMatchObject({ kind: 'error', answer: { condition: 'undefined-condition' } })
  })

  it('an answer counts once', async () => {
    const { requests, id, answer } = ask()
    const result = child(`<iq type='result' id='${id}' from='b@example.test/R'/>`)
    expect([requests.take(result), requests.take(result)]).toEqual(['answered', 'none'])
    expect(await answer).toEqual({ kind: 'result', element: result })
  })

  it('time runs out, and what comes later answers nothing', async () => {
    const { requests, id, answer } = ask('b@example.test', 20)
    expect(await answer).toEqual({ kind: 'timeout' })
    expect(requests.take(child(`<iq type='result' id='${id}' from='b@example.test'/>`))).toBe('none')
  })

  it('time begins anew for as long as the request, or its answer, is on its way', async () => {
    const asked: number[] = []
    const requests = createRequests('waybill.example.test', (place) => asked.push(place) < 4)
    const { answer } = requests.add({ to: 'b@example.test', type: 'get', payload: '', timeoutMs: 10 }, 7)
    expect(await answer).toEqual({ kind: 'timeout' })
    expect(asked).toEqual([7, 7, 7, 7])
  })

  it('all that wait are lost at once', async () => {
    const { requests, answer } = ask()
    const second = requests.add({ to: 'c.example.test', type: 'set', payload: '', timeoutMs: 5_000 })
    requests.lose()
    expect(await Promise.all([answer, second.answer])).toEqual([{ kind: 'lost' }, { kind: 'lost' }])
  })

  it('two requests with one id are a mistake of ours', () => {
    const { requests } = ask()
    const twice = () => requests.add({ id: 'same', to: 'b@example.test', type: 'get', payload: '', timeoutMs: 5_000 })
    twice()
    expect(twice).toThrow('Cannot send the iq: a request with the id same is waiting already')
    requests.lose()
  })
})
