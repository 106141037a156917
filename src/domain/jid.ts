import { shared } from './shared-text.ts'

/** Addresses (RFC 7622), normalised once at the edge so that everywhere else they compare as strings. */

export interface Jid {
  /** Localpart, or ''. */
  readonly local: string
  readonly domain: string
  /** Resourcepart, or ''. */
  readonly resource: string
}

// RFC 7622 3.3.1 names the first nine. Control characters and halves of surrogate pairs are in no part (RFC 8264 9.11, 9.12).
const FORBIDDEN_IN_LOCAL = /["&'/:<>@\s\p{Cc}\p{Cs}]/u
const FORBIDDEN_IN_DOMAIN = /["&'/<>@\\*{}\s\p{Cc}\p{Cs}]/u
const FORBIDDEN_IN_RESOURCE = /[\p{Cc}\p{Cs}\u2028\u2029]/u

/** RFC 7622 3.1: parts are split first, then each is prepared. Undefined where the text is not a JID. */
export function parseJid(text: string): Jid | undefined {
  const slash = text.indexOf('/')
  const bare = slash < 0 ? text : text.slice(0, slash)
  const at = bare.indexOf('@')
  if (at === 0 || slash === text.length - 1) return undefined
  const local = at < 0 ? '' : prepare(bare.slice(0, at))
  const domain = prepareDomain(bare.slice(at + 1))
  const resource = slash < 0 ? '' : prepareResource(text.slice(slash + 1))
  if (!isDomain(domain) || FORBIDDEN_IN_LOCAL.test(local) || FORBIDDEN_IN_RESOURCE.test(resource)) return undefined
  if ((at > 0 && local === '') || tooLong(local) || tooLong(domain) || tooLong(resource)) return undefined
  return { local, domain, resource }
}

// RFC 7622 3.3.1: width mapping, case mapping, NFC. NFKC covers the width mapping.
function prepare(part: string): string {
  if (/^[\x21-\x7e]*$/.test(part)) return part.toLowerCase()
  // Lower case can give letters that NFKC changes again; done twice the result stays as it is.
  return part.normalize('NFKC').toLowerCase().normalize('NFKC').toLowerCase().normalize('NFC')
}

// RFC 7622 3.2: a final dot is dropped before anything else.
function prepareDomain(part: string): string {
  return prepare(part).replace(/\.$/, '')
}

// RFC 7622 3.4.1, OpaqueString (RFC 8265 4.2.2): spaces of all kinds become the one of ASCII; case stays.
function prepareResource(part: string): string {
  return /^[\x20-\x7e]*$/.test(part) ? part : part.replace(/\p{Zs}/gu, ' ').normalize('NFC')
}

// A colon stands in an IPv6 address only, so that no JID begins like `xmpp:`.
function isDomain(domain: string): boolean {
  if (domain === '' || FORBIDDEN_IN_DOMAIN.test(domain)) return false
  if (domain.startsWith('[')) return /^\[[0-9a-f:.]+\]$/.test(domain)
  return !/[[\]:]|^\.|\.\.|\.$/.test(domain)
}

// RFC 7622 3.1: no part is longer than 1,023 octets. Three bytes a UTF-16 unit is the most that UTF-8 takes.
function tooLong(part: string): boolean {
  return part.length > 341 && new TextEncoder().encode(part).length > 1023
}

export function formatJid({ local, domain, resource }: Jid): string {
  return `${local === '' ? '' : `${local}@`}${domain}${resource === '' ? '' : `/${resource}`}`
}

/** What comes after so many addresses begins anew; longer ones are not remembered. */
const REMEMBERED = 8_192
const REMEMBERED_LENGTH = 128

let normal = new Map<string, string>()

/** The normalised text of a JID, or undefined. Those that came normalised are remembered: who sends has mostly sent before. */
export function normaliseJid(text: string): string | undefined {
  const known = normal.get(text)
  if (known !== undefined) return known
  const jid = parseJid(text)
  const normalised = jid && formatJid(jid)
  if (normalised !== text || text.length > REMEMBERED_LENGTH) return normalised
  if (normal.size >= REMEMBERED) normal = new Map()
  const own = shared(text)
  normal.set(own, own)
  return own
}

/** The JID without its resource; takes and gives normalised text. */
export function bareJid(jid: string): string {
  const slash = jid.indexOf('/')
  return slash < 0 ? jid : jid.slice(0, slash)
}

const ESCAPES: Readonly<Record<string, string>> = {
  ' ': '\\20',
  '"': '\\22',
  '&': '\\26',
  "'": '\\27',
  '/': '\\2f',
  ':': '\\3a',
  '<': '\\3c',
  '>': '\\3e',
  '@': '\\40',
}

/** A text made fit for a localpart (XEP-0106 4.2): a backslash is escaped only where it would read as an escape. */
export function escapeLocalpart(text: string): string {
  return text
    .replace(/\\(?=20|22|26|27|2f|3a|3c|3e|40|5c)/gi, '\\5c')
    .replace(/[ "&'/:<>@]/g, (character) => ESCAPES[character] ?? character)
}

/** A pattern's parts, prepared like those of a JID, with their stars. Undefined resource: bare JIDs are compared. */
export interface JidPattern {
  readonly local: string
  readonly domain: string
  readonly resource: string | undefined
}

/** Undefined where the pattern can't be a JID. */
export function parseJidPattern(pattern: string): JidPattern | undefined {
  // A star is no character of a domain; a letter stands in for it while the shape is checked.
  if (!parseJid(pattern.replaceAll('*', 'x'))) return undefined
  const slash = pattern.indexOf('/')
  const bare = slash < 0 ? pattern : pattern.slice(0, slash)
  const at = bare.indexOf('@')
  return {
    local: at < 0 ? '' : prepare(bare.slice(0, at)),
    domain: prepareDomain(bare.slice(at + 1)),
    resource: slash < 0 ? undefined : prepareResource(pattern.slice(slash + 1)),
  }
}

/**
 * A pattern over JIDs, where `*` matches within one part only and a pattern without resource compares bare JIDs
 * (docs/routes.md, JID patterns). Undefined where the pattern can't be a JID.
 */
export function jidPattern(pattern: string): ((jid: string) => boolean) | undefined {
  const parsed = parseJidPattern(pattern)
  if (!parsed) return undefined
  const local = partPattern(parsed.local)
  const domain = partPattern(parsed.domain)
  const resource = parsed.resource === undefined ? () => true : partPattern(parsed.resource)
  return (jid) => {
    const candidate = splitJid(jid)
    return local(candidate.local) && domain(candidate.domain) && resource(candidate.resource)
  }
}

/** The parts of a normalised JID. */
export function splitJid(jid: string): Jid {
  const slash = jid.indexOf('/')
  const bare = slash < 0 ? jid : jid.slice(0, slash)
  const at = bare.indexOf('@')
  return {
    local: at < 0 ? '' : bare.slice(0, at),
    domain: bare.slice(at + 1),
    resource: slash < 0 ? '' : jid.slice(slash + 1),
  }
}

// A lone star needs at least one character: `*@example.org` is not the domain itself.
function partPattern(part: string): (text: string) => boolean {
  if (!part.includes('*')) return (text) => text === part
  if (part === '*') return (text) => text !== ''
  const [first = '', ...middle] = part.split('*')
  const last = middle.pop() ?? ''
  return (text) => {
    const end = text.length - last.length
    if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false
    return containsInOrder(text.slice(first.length, end), middle)
  }
}

// Taking each piece where it first occurs never misses a match, and never goes back: a regular expression would, for hours.
function containsInOrder(text: string, pieces: readonly string[]): boolean {
  let from = 0
  for (const piece of pieces) {
    const at = text.indexOf(piece, from)
    if (at < 0) return false
    from = at + piece.length
  }
  return true
}
