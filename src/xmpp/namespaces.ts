/** Namespaces on the wire, by the specification that defines them. */

/** docs/protocol.md: `<submit/>`, `<accepted/>`, `<rejection/>`, `<via/>`. */
export const WAYBILL = 'urn:waybill:0'
/** RFC 6120 8.3.3 */
export const STANZA_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
/** XEP-0004 */
export const DATA_FORMS = 'jabber:x:data'
/** XEP-0030 */
export const DISCO_INFO = 'http://jabber.org/protocol/disco#info'
/** XEP-0030 */
export const DISCO_ITEMS = 'http://jabber.org/protocol/disco#items'
/** XEP-0059 */
export const RESULT_SETS = 'http://jabber.org/protocol/rsm'
/** XEP-0060 */
export const PUBSUB = 'http://jabber.org/protocol/pubsub'
/** XEP-0060 */
export const PUBSUB_OWNER = 'http://jabber.org/protocol/pubsub#owner'
/** XEP-0060 */
export const PUBSUB_EVENT = 'http://jabber.org/protocol/pubsub#event'
/** XEP-0060 */
export const PUBSUB_ERRORS = 'http://jabber.org/protocol/pubsub#errors'
/** XEP-0092 */
export const VERSION = 'jabber:iq:version'
/** XEP-0184 */
export const RECEIPTS = 'urn:xmpp:receipts'
/** XEP-0199 */
export const PING = 'urn:xmpp:ping'
/** XEP-0203 */
export const DELAY = 'urn:xmpp:delay'
/** XEP-0231 */
export const BITS_OF_BINARY = 'urn:xmpp:bob'
/** XEP-0334 */
export const HINTS = 'urn:xmpp:hints'
/** XEP-0335 */
export const JSON_CONTAINER = 'urn:xmpp:json:0'
/** XEP-0359 */
export const STANZA_IDS = 'urn:xmpp:sid:0'
/** XEP-0432 */
export const JSON_MESSAGE = 'urn:xmpp:json-msg:0'
