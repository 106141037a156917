/** A media type as it is written in `type='application/xml; charset=utf-8'` (RFC 6838 4.2, RFC 9110 8.3.1). */
export interface MediaType {
  /** Lower case, without parameters. */
  readonly name: string
  readonly charset: string | undefined
  /** As it came, where that is not its name alone. */
  readonly written?: string
}

const TOKEN = "[A-Za-z0-9!#$&^_.+'*`|~%-]{1,127}"
const MEDIA_TYPE = new RegExp(`^\\s*(${TOKEN}/${TOKEN})\\s*((?:;.*)?)$`, 's')

/** Undefined where it is no media type. */
export function parseMediaType(text: string): MediaType | undefined {
  const match = MEDIA_TYPE.exec(text)
  if (!match) return undefined
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)"?/i.exec(match[2]!)?.[1]
  const name = match[1]!.toLowerCase()
  return text === name ? { name, charset } : { name, charset, written: text }
}

export function isXmlType(name: string): boolean {
  return name.endsWith('/xml') || name.endsWith('+xml')
}

export function isJsonType(name: string): boolean {
  return name.endsWith('/json') || name.endsWith('+json')
}

/**
 * The media type of a file: by its name's ending; where that doesn't tell, by what the bytes begin with: `<` for XML, `{` or `[` for
 * JSON.
 */
export function mediaTypeOfFile(file: string, bytes: Uint8Array): MediaType {
  if (/\.(?:xml|ubl|atom)$/i.test(file)) return XML
  return /\.json$/i.test(file) ? JSON_TYPE : sniff(bytes)
}

const XML: MediaType = { name: 'application/xml', charset: undefined }
const JSON_TYPE: MediaType = { name: 'application/json', charset: undefined }
const OPAQUE: MediaType = { name: 'application/octet-stream', charset: undefined }

function sniff(bytes: Uint8Array): MediaType {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 256))
  // Byte order marks and the zero bytes of UTF-16 are put aside.
  const first = /[^\s\0\u00ef\u00bb\u00bf\u00fe\u00ff]/.exec(head.toString('latin1'))?.[0]
  if (first === '<') return XML
  return first === '{' || first === '[' ? JSON_TYPE : OPAQUE
}
