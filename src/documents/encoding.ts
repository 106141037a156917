import { isAscii } from 'node:buffer'
import { shown } from './shown.ts'

/**
 * Bytes of a sealed document as text. Understood are UTF-8 (with a byte order mark or without), UTF-16 with its mark (XML 1.0,
 * 4.3.3), and ISO-8859-1 and US-ASCII where the XML declaration says so; everything else is refused by name.
 */
export type Decoded =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'undecodable'; readonly rule: 'encoding' | 'charset'; readonly message: string }

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'iso-8859-1' | 'us-ascii'

const ALIASES: Readonly<Record<string, readonly Encoding[]>> = {
  'utf-8': ['utf-8'],
  utf8: ['utf-8'],
  'utf-16': ['utf-16le', 'utf-16be'],
  'utf-16le': ['utf-16le'],
  'utf-16be': ['utf-16be'],
  'iso-8859-1': ['iso-8859-1'],
  latin1: ['iso-8859-1'],
  'us-ascii': ['us-ascii', 'utf-8'],
  ascii: ['us-ascii', 'utf-8'],
}

const UNDERSTOOD = 'UTF-8, UTF-16 with a byte order mark, ISO-8859-1 and US-ASCII are understood'

/** @param charset The media type's parameter, where there is one; it must agree with the document (RFC 7303 3). */
export function decodeXml(bytes: Uint8Array, charset?: string): Decoded {
  const marked = byteOrderMark(bytes)
  if (marked === 'utf-32')
    return undecodable('encoding', `Cannot read the text: UTF-32 is not understood; ${UNDERSTOOD}`)
  const declared = declaredEncoding(bytes, marked)
  const encoding = marked ?? encodingNamed(declared)
  if (encoding === undefined) {
    return undecodable('encoding', `Cannot read the text: its encoding is ${declared}; ${UNDERSTOOD}`)
  }
  if (marked !== undefined && declared !== undefined && !names(declared, marked)) {
    return undecodable(
      'encoding',
      `Cannot read the text: it declares ${declared}, but its byte order mark says ${marked}`,
    )
  }
  if (charset !== undefined && !names(charset, encoding)) {
    return undecodable(
      'charset',
      `Cannot read the text: the media type says charset=${shown(charset, 40)}, the document is ${encoding}`,
    )
  }
  return decode(bytes, encoding)
}

/** JSON is UTF-8 (RFC 8259 8.1); a byte order mark is put aside. */
export function decodeJson(bytes: Uint8Array, charset?: string): Decoded {
  const marked = byteOrderMark(bytes)
  const wide = bytes.length > 1 && (bytes[0] === 0 || bytes[1] === 0)
  if (wide || (marked !== undefined && marked !== 'utf-8')) {
    return undecodable('encoding', 'Cannot read the JSON: it is not UTF-8, which RFC 8259 asks for')
  }
  if (charset !== undefined && !names(charset, 'utf-8')) {
    return undecodable(
      'charset',
      `Cannot read the JSON: the media type says charset=${shown(charset, 40)}, JSON is UTF-8`,
    )
  }
  return decode(bytes, 'utf-8')
}

/** Whether libxml2 can be given the bytes as they are. */
export function isUtf8Xml(bytes: Uint8Array): boolean {
  const marked = byteOrderMark(bytes)
  if (marked !== undefined) return marked === 'utf-8'
  return encodingNamed(declaredEncoding(bytes, marked)) === 'utf-8'
}

function byteOrderMark(bytes: Uint8Array): Encoding | 'utf-32' | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8'
  if (bytes[0] === 0xff && bytes[1] === 0xfe)
    return bytes.length > 3 && bytes[2] === 0 && bytes[3] === 0 ? 'utf-32' : 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  return undefined
}

const LESS = 0x3c
const QUESTION = 0x3f
const DECLARATION = /^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']/

function declaredEncoding(bytes: Uint8Array, marked: Encoding | undefined): string | undefined {
  if (marked === undefined && bytes[0] === LESS && bytes[1] !== QUESTION && bytes[1] !== 0) return undefined
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 256))
  // One byte or two for each character of the declaration: all of them are ASCII.
  const text = head
    .toString('latin1')
    .replaceAll('\0', '')
    .replace(/^(ï»¿|þÿ|ÿþ)/, '')
  const declared = DECLARATION.exec(text)?.[1]?.toLowerCase()
  const unmarkedWide = marked === undefined && bytes.length > 1 && (bytes[0] === 0 || bytes[1] === 0)
  return unmarkedWide ? 'UTF-16 without a byte order mark' : declared
}

function encodingNamed(declared: string | undefined): Encoding | undefined {
  if (declared === undefined) return 'utf-8'
  const [encoding] = ALIASES[declared] ?? []
  // Said without a byte order mark, UTF-16 in an ASCII-compatible declaration contradicts itself.
  return encoding?.startsWith('utf-16') ? undefined : encoding
}

function names(name: string, encoding: Encoding): boolean {
  return ALIASES[name.toLowerCase()]?.includes(encoding) ?? false
}

function decode(bytes: Uint8Array, encoding: Encoding): Decoded {
  switch (encoding) {
    case 'iso-8859-1':
      // WHATWG's TextDecoder reads windows-1252 under this name; Buffer reads ISO-8859-1.
      return { kind: 'text', text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1') }
    case 'us-ascii':
      if (!isAscii(bytes))
        return undecodable('encoding', 'Cannot read the text: it declares US-ASCII and has other bytes')
      return decodeStrictly(bytes, 'utf-8')
    default:
      return decodeStrictly(bytes, encoding)
  }
}

function decodeStrictly(bytes: Uint8Array, encoding: 'utf-8' | 'utf-16le' | 'utf-16be'): Decoded {
  try {
    return { kind: 'text', text: new TextDecoder(encoding, { fatal: true }).decode(bytes) }
  } catch {
    return undecodable('encoding', `Cannot read the text: the bytes are not ${encoding.toUpperCase()}`)
  }
}

function undecodable(rule: 'encoding' | 'charset', message: string): Decoded {
  return { kind: 'undecodable', rule, message }
}
