import { eventually } from '../eventually.ts'
import { attribute, command, type Installation } from './waybill.ts'

/** What the tests of the traps share: a receiver whose every answer is chosen by the test. */

export const cli = (at: Installation, ...words: string[]) => command([words[0]!, at.folder, ...words.slice(1)])

/** The trace, as soon as the document is in that state. */
export function becomes(at: Installation, id: string, state: string) {
  const isThere = async () => {
    const trace = await at.trace(id)
    return trace.state === state ? trace : undefined
  }
  return eventually(isThere, { what: `${id} to be ${state}`, timeoutMs: 60_000 })
}

/** The next iq that carries the text. */
export const question = (at: Installation, text: string) =>
  at.other.next((stanza) => stanza.startsWith('<iq') && stanza.includes(text), 60_000)

export function answer(at: Installation, iq: string, type: string, condition: string): void {
  const addresses = `id='${attribute(iq, 'id')}' from='${attribute(iq, 'to')}' to='waybill.example.test'`
  const error = `<error type='${type}'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`
  at.other.send(type === 'result' ? `<iq type='result' ${addresses}/>` : `<iq type='error' ${addresses}>${error}</iq>`)
}

export const messagesWith = (at: Installation, text: string) =>
  at.other.received.filter((stanza) => stanza.startsWith('<message') && stanza.includes(text))
