import { XMLParser } from 'fast-xml-parser'
import type { Json } from '../domain/document.ts'

/**
 * An XML document as JSON, for programs that would rather not parse XML: elements by their names as written, attributes with
 * `@` before the name, text as `#text` where there is something beside it, repeated elements as lists. Everything is text;
 * nothing is read as a number. Blind to namespaces and to the order of unlike siblings: to be looked at, never to be judged.
 */
export function projectXml(text: string): Json {
  return parser.parse(text) as Json
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  textNodeName: '#text',
  parseTagValue: false,
  parseAttributeValue: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
})
