import { SaxesParser } from 'saxes'
import { describe, expect, it } from 'vitest'
import { createTokeniser, Malformed } from '../../src/domain/xml-tokeniser.ts'
import { seededRandom } from '../redis/model.ts'

/** What is told of a text that comes in pieces, text that follows text as one; the fault that ends it last. */
function told(pieces: readonly string[]): readonly string[] {
  const lines: string[] = []
  const names: string[] = []
  const tokeniser = createTokeniser({
    declaration: (version, encoding) => void lines.push(`version ${version} encoding ${encoding}`),
    opened(name, attributes) {
      names.push(name)
      lines.push(`<${name} ${JSON.stringify(attributes)}`)
    },
    closed: () => void lines.push(`>${names.pop()}`),
    text: (text) => addText(lines, text),
    restricted: (what) => void lines.push(what),
  })
  try {
    for (const piece of pieces) tokeniser.write(piece)
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    lines.push('malformed')
  }
  return lines
}

function addText(lines: string[], text: string): void {
  const last = lines.length - 1
  if (lines[last]?.startsWith('"')) lines[last] += text
  else lines.push(`"${text}`)
}

/** The same by the strict parser that documents are read with. */
function reference(text: string): readonly string[] {
  const lines: string[] = []
  const sax = new SaxesParser({ position: false })
  sax.on(
    'opentag',
    ({ name, attributes }) => void lines.push(`<${name} ${JSON.stringify(Object.entries(attributes).flat())}`),
  )
  sax.on('closetag', ({ name }) => void lines.push(`>${name}`))
  const within = (piece: string) => (lines.length > 0 && piece !== '' ? addText(lines, piece) : undefined)
  sax.on('text', within)
  sax.on('cdata', within)
  sax.on('error', (error) => {
    throw error
  })
  sax.write(text).close()
  return lines
}

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
  '<e  />',
]
const ATTRIBUTES = ['', ' q="1"', `\n r = 'a&lt;\tb"'`, ' xml:lang="en" s="\r\n&#10;"', ' é·="€"']
const NAMES = ['a', 'p:b', 'é', 'x-y', 'z.1', '_', 'ns:a·']

function someElement(pick: <T>(list: readonly T[]) => T, depth: number): string {
  const name = pick(NAMES)
  let inside = ''
  for (let left = pick([0, 1, 2, 3]); left > 0; left -= 1) {
    inside += depth < 5 && pick([true, false]) ? someElement(pick, depth + 1) : pick(TEXTS)
  }
  return `<${name}${pick(ATTRIBUTES)}>${inside}</${name}${pick(['', ' ', '\n'])}>`
}

describe('well-formed text', () => {
  it('is taken apart as by a parser for whole documents, wherever it is cut', () => {
    const random = seededRandom(20)
    const below = (count: number) => Math.floor(random() * count)
    const pick = <T>(list: readonly T[]): T => list[below(list.length)]!
    for (let round = 0; round < 300; round += 1) {
      const text = someElement(pick, 0)
      const expected = reference(text)
      const pieces: string[] = []
      for (let at = 0, end = 0; at < text.length; at = end) {
        end = at + 1 + below(12)
        pieces.push(text.slice(at, end))
      }
      expect(told([text]), text).toEqual(expected)
      expect(told(pieces), JSON.stringify(pieces)).toEqual(expected)
    }
  })

  it.each([
    [`<?xml version='1.0'?><a/>`, 'version 1.0 encoding '],
    [`\uFEFF<?xml version="1.0" encoding='utf-8' standalone="yes" ?><a/>`, 'version 1.0 encoding utf-8'],
    [`<?xml version="1.1"?><a/>`, 'version 1.1 encoding '],
  ])('may begin with %j', (text, declaration) => {
    expect(told([text])).toEqual([declaration, '<a []', '>a'])
    expect(told([...text])).toEqual([declaration, '<a []', '>a'])
  })
})

describe('text that is not well-formed', () => {
  const malformed = [
    '<a></b>',
    '<a></a b>',
    '<a></>',
    '</a>',
    '< a/>',
    '<1/>',
    '<-a/>',
    '<a\u00d7/>',
    '<a·><·/></a·>',
    '<a/ >',
    '<a b/>',
    '<a b=/>',
    '<a b=c/>',
    `<a b='1'c='2'/>`,
    `<a b='1' b='2'/>`,
    `<a b='<'/>`,
    `<a b='&'/>`,
    `<a b='&lt'/>`,
    `<a b='\u0001'/>`,
    '<a>&b;</a>',
    '<a>&;</a>',
    '<a>& </a>',
    '<a>&#;</a>',
    '<a>&#x;</a>',
    '<a>&#xFFFE;</a>',
    '<a>&#xD800;</a>',
    '<a>&#x110000;</a>',
    '<a>&#99999999999999999999;</a>',
    `<a>&${'x'.repeat(40)}`,
    '<a>]]></a>',
    '<a>\u0000</a>',
    '<a>\uFFFF</a>',
    '<a>\uD83Dx</a>',
    '<a><![CDATA[\u0001]]></a>',
    '<a><!x></a>',
    '<a><![cdata[]]></a>',
    'x<a/>',
    '&amp;<a/>',
    '<![CDATA[x]]><a/>',
    `<?xml encoding='utf-8'?><a/>`,
    `<?xml version='2.0'?><a/>`,
    `<?xml version='1.0' encoding='1'?><a/>`,
  ]
  it.each(malformed)('such as %j is told, wherever it is cut', (text) => {
    for (const pieces of [[text], [...text]]) {
      expect(told([...pieces, `'>"> </a>`]).filter((line) => line === 'malformed')).toHaveLength(1)
    }
  })

  it.each([
    ['<a><!-- c --></a>', 'comment'],
    ['<!DOCTYPE a><a/>', 'document type (doctype)'],
    ['<a><?b c?></a>', 'processing instruction'],
    [`<a/><?xml version='1.0'?>`, undefined],
    [` <?xml version='1.0'?><a/>`, 'processing instruction'],
    ['<?xmlx ?><a/>', 'processing instruction'],
  ])('%j has what no stream may have', (text, what) => {
    const found = told([text]).find((line) => /comment|document|processing/.test(line))
    expect(found).toBe(what)
  })
})

describe('the position', () => {
  it('is where what was told last has ended', () => {
    const positions: number[] = []
    const noop = () => {}
    const at = () => void positions.push(tokeniser.position())
    const tokeniser = createTokeniser({ declaration: noop, opened: at, closed: at, text: noop, restricted: noop })
    for (const piece of ['<a>', '<b', '/>te', 'xt</a', ' >']) tokeniser.write(piece)
    expect(positions).toEqual([3, 7, 7, 16])
  })
})
