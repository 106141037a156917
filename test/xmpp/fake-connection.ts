import { attributeOf } from '../../src/domain/element.ts'
import type { Connection, IqAnswer, StreamEvent } from '../../src/xmpp/connection.ts'
import { answerOf } from '../../src/xmpp/iq.ts'
import { HEADER, readStream } from './stream-text.ts'

export interface FakeConnection extends Omit<Connection, 'start' | 'stop'> {
  /** All that was written, requests included. */
  readonly written: string[]
  /** A stanza from the peer; true where it answered a request. */
  receive(text: string): boolean
  /** Answers every request for which it gives a stanza; `ID` stands for the request's id. */
  answerWith(rule: (request: string) => string | undefined): void
  /** `closed`: what was written and has no answer may be why. */
  lose(reason: string, closed?: string): void
  comeBack(): void
  bufferedBytes: number
  isOnItsWay: (place: number) => boolean
  drain(): void
}

/** Our own port with nothing behind it: what is written is kept, what is received comes from the test. */
export function fakeConnection(domain = 'waybill.example.test'): FakeConnection {
  const written: string[] = []
  const pending = new Map<string, { to: string; place: number; settle: (answer: IqAnswer) => void }>()
  let had = 0
  const listeners = new Set<(event: StreamEvent) => void>()
  const drains: (() => void)[] = []
  let rule: (request: string) => string | undefined = () => undefined
  let ids = 0
  const state = { online: true, stream: 1, bufferedBytes: 0 }

  function receive(text: string): boolean {
    const { children, excesses } = readStream([HEADER, text], { bytes: 10_000_000 })
    const [element, excess] = [children[0], excesses[0]]
    if (!element) throw new Error(`Cannot read one stanza: ${text}`)
    const id = attributeOf(element, 'id') ?? ''
    const one = pending.get(id)
    if (element.name !== 'iq' || !one || one.to !== attributeOf(element, 'from')) return false
    pending.delete(id)
    had = Math.max(had, one.place)
    const isError = attributeOf(element, 'type') === 'error'
    if (isError) one.settle({ kind: 'error', answer: answerOf(element), element })
    else one.settle({ kind: 'result', element, ...(excess && { excess }) })
    return true
  }

  function lose(reason: string, closed?: string): void {
    state.online = false
    const closing = (place: number) => (place > had ? closed : undefined)
    for (const { place, settle } of pending.values()) {
      const said = closing(place)
      settle({ kind: 'lost', ...(said !== undefined && { closed: said }) })
    }
    for (const listener of listeners) listener({ kind: 'lost', stream: state.stream, reason, closed: closing })
    pending.clear()
  }

  return {
    domain,
    written,
    receive,
    get place() {
      return written.length
    },
    get isQuiet() {
      return had >= written.length
    },
    get online() {
      return state.online
    },
    get stream() {
      return state.stream
    },
    get bufferedBytes() {
      return state.bufferedBytes
    },
    set bufferedBytes(bytes) {
      state.bufferedBytes = bytes
    },
    write(xml) {
      if (state.online) written.push(xml)
      return state.online
    },
    isOnItsWay: () => false,
    drained: () => new Promise((resolve) => drains.push(resolve)),
    drain() {
      state.bufferedBytes = 0
      for (const resolve of drains.splice(0)) resolve()
    },
    request({ to, type, payload, id, timeoutMs }) {
      if (!state.online) return Promise.resolve({ kind: 'lost' })
      const name = id ?? `q${++ids}`
      const request = `<iq type="${type}" id="${name}" from="${domain}" to="${to}">${payload}</iq>`
      written.push(request)
      return new Promise((resolve) => {
        const timer = setTimeout(() => settle({ kind: 'timeout' }), timeoutMs)
        const settle = (answer: IqAnswer) => {
          clearTimeout(timer)
          resolve(answer)
        }
        pending.set(name, { to, place: written.length, settle })
        const answer = rule(request)
        if (answer !== undefined) receive(answer.replaceAll('ID', name))
      })
    },
    answerWith(answers) {
      rule = answers
    },
    onStream(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    lose,
    giveUp: (text) => lose('silent', text),
    comeBack() {
      state.online = true
      state.stream += 1
      for (const listener of listeners) listener({ kind: 'online', stream: state.stream })
    },
  }
}
