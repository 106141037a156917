/**
 * Elements that travel beside documents and are none themselves: they are put aside when the document of a message is
 * looked for. docs/protocol.md 1.3 lists them.
 */
export interface KnownExtension {
  readonly namespace: string
  /** Undefined: every element of the namespace. */
  readonly names?: readonly string[]
  /** Where it is defined. */
  readonly source: string
}

export const KNOWN_EXTENSIONS: readonly KnownExtension[] = [
  { namespace: 'urn:xmpp:receipts', source: 'XEP-0184' },
  { namespace: 'http://jabber.org/protocol/chatstates', source: 'XEP-0085' },
  { namespace: 'urn:xmpp:chat-markers:0', source: 'XEP-0333' },
  { namespace: 'urn:xmpp:delay', source: 'XEP-0203' },
  { namespace: 'jabber:x:delay', source: 'XEP-0091' },
  { namespace: 'urn:xmpp:sid:0', source: 'XEP-0359' },
  { namespace: 'urn:xmpp:hints', source: 'XEP-0334' },
  { namespace: 'http://jabber.org/protocol/nick', source: 'XEP-0172' },
  { namespace: 'jabber:x:oob', source: 'XEP-0066' },
  { namespace: 'http://jabber.org/protocol/shim', source: 'XEP-0131' },
  { namespace: 'urn:xmpp:eme:0', source: 'XEP-0380' },
  { namespace: 'http://jabber.org/protocol/address', source: 'XEP-0033' },
  { namespace: 'http://jabber.org/protocol/xhtml-im', source: 'XEP-0071' },
  { namespace: 'http://jabber.org/protocol/amp', source: 'XEP-0079' },
  { namespace: 'urn:xmpp:message-correct:0', source: 'XEP-0308' },
  { namespace: 'urn:xmpp:attention:0', source: 'XEP-0224' },
  { namespace: 'urn:xmpp:carbons:2', source: 'XEP-0280' },
  { namespace: 'urn:xmpp:reference:0', source: 'XEP-0372' },
  { namespace: 'urn:xmpp:fallback:0', source: 'XEP-0428' },
  { namespace: 'urn:xmpp:reply:0', source: 'XEP-0461' },
  { namespace: 'urn:xmpp:reactions:0', source: 'XEP-0444' },
  { namespace: 'vcard-temp:x:update', source: 'XEP-0153' },
  { namespace: 'jabber:x:event', source: 'XEP-0022' },
  { namespace: 'jabber:x:conference', source: 'XEP-0249' },
  { namespace: 'http://jabber.org/protocol/muc#user', source: 'XEP-0045' },
  // An event that nobody configured is no document (docs/operations.md, guarantee 9).
  { namespace: 'http://jabber.org/protocol/pubsub#event', source: 'XEP-0060' },
  { namespace: 'urn:waybill:0', names: ['via', 'accepted', 'rejection', 'report'], source: 'Waybill' },
]

/** Children of a message in its own namespace (RFC 6121 5.2). */
export const MESSAGE_CHILDREN: readonly string[] = ['body', 'subject', 'thread', 'error']

const byNamespace = new Map(KNOWN_EXTENSIONS.map((extension) => [extension.namespace, extension]))

export function isKnownExtension(name: string, namespace: string): boolean {
  const extension = byNamespace.get(namespace)
  return extension !== undefined && (extension.names === undefined || extension.names.includes(name))
}
