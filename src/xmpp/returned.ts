import { attributeOf, type Element } from '../domain/element.ts'
import { normaliseJid, splitJid } from '../domain/jid.ts'

/**
 * A stanza as whoever was written to would have sent it back (RFC 6120 8.3.1), where it came back with the addresses that we gave it: so does
 * the router of jabberd2 with what it can't deliver. Nobody but a server can name us as the sender of what comes to us.
 *
 * @param domain our own
 */
export function asReturned(stanza: Element, domain: string): Element {
  if (attributeOf(stanza, 'type') !== 'error') return stanza
  if (!isOf(domain, attributeOf(stanza, 'from')) || isOf(domain, attributeOf(stanza, 'to'))) return stanza
  const attributes = stanza.attributes.map((attribute) => {
    if (attribute.uri !== '' || (attribute.name !== 'from' && attribute.name !== 'to')) return attribute
    return { ...attribute, name: attribute.name === 'from' ? 'to' : 'from' }
  })
  return { ...stanza, attributes }
}

/** Without an address it is from our server, or to us. */
function isOf(domain: string, address = domain): boolean {
  const jid = normaliseJid(address)
  return jid !== undefined && splitJid(jid).domain === domain
}
