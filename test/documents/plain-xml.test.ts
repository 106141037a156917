import { describe, expect, it } from 'vitest'
import { readPlainXml } from '../../src/documents/plain-xml.ts'
import { parseBySaxes, parseXml } from '../../src/documents/xml.ts'
import { seededRandom } from '../redis/model.ts'

/** The quick way to read a document is measured by the strict one: it says nothing, or the same. */

const limits = { documentBytes: 10_000, depth: 6, attributes: 4, nameLength: 20 }

function plain(text: string): string | undefined {
  const root = readPlainXml(text, limits)
  return root && JSON.stringify(root)
}

/** Trees with everything in them, in order; of a refusal nothing. */
function strict(text: string): string | undefined {
  const parsed = parseBySaxes(text, limits)
  return parsed.kind === 'xml' ? JSON.stringify(parsed.root) : undefined
}

const NAMES = ['a', 'b', 'p:a', 'q:b', 'é', 'x-y.z', '_', 'constructor', 'xml:a', 'a·']
const DECLARED = ['p', 'q', 'r', 'toString', '__proto__']
const URIS = ['urn:x', 'urn:y', '', 'urn:é&amp;', 'http://www.w3.org/XML/1998/namespace', ' urn:x ', 'urn:x\n']
const VALUES = ['', '1', 'ä€😀', 'a\tb\r\nc', '&lt;&#10;&quot;', ']]>', "it's"]
const TEXTS = [
  'text',
  'tä€😀',
  ' ',
  '\r\n',
  '\r',
  'a]b]]c',
  '&amp;',
  '&#x20AC;&#10;',
  '<![CDATA[<c>\r\n&amp;]]>',
  '<e/>',
  '>',
]
const BEFORE = [
  '',
  '<?xml version="1.0"?>',
  `<?xml version='1.0' encoding="UTF-8" standalone='yes' ?>\n`,
  '\uFEFF',
  ' \n',
]
const BEHIND = ['', '', '\n', ' \r\n\t']
const FOREIGN = [
  ...[
    '<!-- c -->',
    '<?pi d?>',
    '<!DOCTYPE a>',
    '<?xml version="1.1"?>',
    ']]>',
    '<![CDATA[',
    '<',
    '>',
    '&',
    ';',
    '"',
    "'",
    '/',
    ' ',
  ],
  ...[
    '=',
    ':',
    'xmlns',
    ' xmlns:p=""',
    ' xmlns:xmlns="urn:x"',
    ' xmlns:xml="urn:x"',
    ' a="1"',
    ' p:a="1"',
    '<p:a>',
    '</p:a>',
    '<a>',
  ],
  ...[
    '\u0000',
    '\u0001',
    '\u0085',
    '\u2028',
    '\ufffe',
    '\ud83d',
    '\ude00',
    '&nbsp;',
    '&#0;',
    '&#xD800;',
    '&#x10FFFF;',
    '-',
    '1',
    '·',
  ],
]

interface Random {
  below(count: number): number
  pick<T>(list: readonly T[]): T
}

function randomFrom(seed: number): Random {
  const random = seededRandom(seed)
  const below = (count: number) => Math.floor(random() * count)
  return { below, pick: (list) => list[below(list.length)]! }
}

function someAttributes({ below, pick }: Random): string {
  let text = ''
  for (let left = below(3); left > 0; left -= 1) {
    const name = pick([`xmlns:${pick(DECLARED)}`, 'xmlns', pick(NAMES), pick(NAMES)])
    const value = name.startsWith('xmlns') ? pick(URIS) : pick(VALUES)
    text += `${pick([' ', '\n  '])}${name}${pick(['=', ' = '])}"${value}"`
  }
  return text
}

function someElement(random: Random, depth: number): string {
  const { below, pick } = random
  const name = pick(NAMES)
  const outer = depth === 1 && below(4) > 0 ? ` xmlns:p='urn:x' xmlns:q='${pick(['urn:x', 'urn:q'])}'` : ''
  let inside = ''
  for (let left = below(4); left > 0; left -= 1) inside += below(2) === 0 ? someElement(random, depth + 1) : pick(TEXTS)
  return `<${name}${outer}${someAttributes(random)}>${inside}</${name}${pick(['', ' '])}>`
}

function someDocument(random: Random): string {
  return random.pick(BEFORE) + someElement(random, 1) + random.pick(BEHIND)
}

function mutated(text: string, { below, pick }: Random): string {
  let result = text
  for (let left = 1 + below(2); left > 0; left -= 1) {
    const at = below(result.length + 1)
    result =
      result.slice(0, at) + pick([pick(FOREIGN), '', result.slice(below(at + 1), at)]) + result.slice(at + below(4))
  }
  return result
}

describe('a document that is plain', () => {
  it.each([
    '<a/>',
    `<?xml version="1.0" encoding="UTF-8"?>\n<a xmlns="urn:x" b='1'><c xmlns:p="urn:p" p:d="&lt;">t&amp;<![CDATA[<>]]></c> </a>\n`,
    '\uFEFF<a>😀</a>',
  ])('such as %j is read at once', (text) => {
    expect(plain(text)).toBe(strict(text))
    expect(plain(text)).toBeDefined()
  })
})

describe('what saxes has to judge', () => {
  it.each([
    ['a comment', '<a><!-- c --></a>'],
    ['a processing instruction', '<?pi?><a/>'],
    ['a comment behind the root', '<a/><!-- c -->'],
    ['a DOCTYPE', '<!DOCTYPE a><a/>'],
    ['another version', '<?xml version="1.1"?><a/>'],
    ['nothing', ''],
    ['an open element', '<a><b></b>'],
    ['an open tag', '<a><b'],
    ['something behind the root', '<a/>x'],
    ['a second root', '<a/><a/>'],
    ['an unbound prefix', '<p:a/>'],
    ['a padded namespace', '<a xmlns=" urn:x"/>'],
    ['too many levels', `${'<a>'.repeat(7)}${'</a>'.repeat(7)}`],
    ['too many attributes', '<a b="" c="" d="" e="" f=""/>'],
    ['a long name', `<${'a'.repeat(21)}/>`],
    ['a long name of an attribute', `<a ${'b'.repeat(21)}=""/>`],
  ])('%s', (_, text) => {
    expect(plain(text)).toBeUndefined()
  })

  it('is answered as if there were no quick way', () => {
    for (const text of [
      '<a><!-- c -->t</a>',
      '<!DOCTYPE a><a/>',
      '<a>\n<b></a>',
      `${'<a>'.repeat(7)}`,
      '<a b="1" b="2"/>',
    ]) {
      expect(parseXml(text, limits)).toEqual(parseBySaxes(text, limits))
    }
  })
})

describe('documents that are put together at random', () => {
  const rounds = 1_000

  it('are never read otherwise than by saxes', () => {
    const random = randomFrom(31)
    let read = 0
    for (let round = 0; round < rounds; round += 1) {
      const text = someDocument(random)
      const found = plain(text)
      if (found === undefined) continue
      expect(found, JSON.stringify(text)).toBe(strict(text))
      read += 1
    }
    expect(read).toBeGreaterThan(rounds / 10)
  })

  it('are never taken where saxes refuses them, however they are spoilt', () => {
    const random = randomFrom(32)
    let read = 0
    for (let round = 0; round < rounds; round += 1) {
      const text = mutated(someDocument(random), random)
      const found = plain(text)
      if (found === undefined) continue
      expect(found, JSON.stringify(text)).toBe(strict(text))
      read += 1
    }
    expect(read).toBeGreaterThan(0)
  })
})
