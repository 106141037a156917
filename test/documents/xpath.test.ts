import { afterAll, describe, expect, it } from 'vitest'
import { compileXPathTest } from '../../src/documents/documents.ts'
import { EXPRESSIONS_KEPT } from '../../src/documents/libxml2.ts'
import { releaseTrees, type XmlContent } from '../../src/documents/parsed.ts'
import { compileByLibxml2, compileXPath, type XPathAnswer } from '../../src/documents/xpath.ts'
import type { Element, Node } from '../../src/domain/element.ts'
import { elementOf } from './given.ts'

const namespaces = { a: 'urn:a', b: 'urn:b' }
const contentOf = (xml: string): XmlContent => ({ kind: 'xml', root: elementOf(xml) })

afterAll(releaseTrees)

describe('an expression that can’t work is an error when it is loaded', () => {
  it.each([
    ['/inv:Invoice', "Cannot read the XPath: prefix `inv` isn't declared (known: a, b)"],
    ["/a:x[c:y = 'c:y']", "prefix `c` isn't declared"],
    ['/a:x/@d:e', 'prefix `d`'],
    ['e:*', 'prefix `e`'],
    ['', 'the expression ends where a name should be'],
    ['/a:x[', 'the expression ends'],
    ['/a:x]', '"]" stands where the end should be'],
    ['/a:x/', 'the expression ends where a name'],
    ['foo()', 'foo() is no function of XPath 1.0'],
    ['/a:x[lower-case(.) = "x"]', 'lower-case() is no function'],
    ['__proto__()', 'is no function'],
    ['toString()', 'is no function'],
    ['contains("a")', 'contains() takes 2 arguments, not 1'],
    ['/a:x[substring(.)]', 'substring() takes 2 to 3 arguments, not 1'],
    ['concat("a")', 'concat() takes 2 arguments or more, not 1'],
    ['count("a")', 'count() takes nodes, not a string'],
    ['sum(1)', 'sum() takes nodes, not a number'],
    ['"a" | /a:x', '| joins nodes only'],
    ['"a"/b', 'a string has no nodes to select from'],
    ['$x', 'there are no variables here'],
    ['position() = 1', 'position() means something within [ ] only (column 1)'],
    ['count(//a:x[1]) = last()', 'last() means something within [ ] only'],
    ['sideways::a:x', 'sideways is no axis'],
    ['1e3', '"e3" stands where the end should be'],
    ["'open", 'is no XPath 1.0'],
    ['/a:x == 1', '"=" stands where a name should be'],
    ['/a:x eq 1', '"eq" stands'],
    ['for $i in /a:x return $i', 'stands where'],
    ['#', '"#" is no XPath 1.0 (column 1)'],
    ['('.repeat(200), 'nested more than 100 deep'],
  ])('%s', (expression, message) => {
    const compiled = compileXPathTest(expression, namespaces)
    expect(compiled.kind === 'error' && compiled.message).toContain(message)
  })
})

const DOCUMENT = `<a:x xmlns:a="urn:a" xmlns:b="urn:b" id="1" b:id="2">
  <a:y n="3">10</a:y><a:y>20<a:z/>5</a:y><b:y> 7 </b:y><plain>text</plain><a:y/></a:x>`

describe('expressions hold or not', () => {
  it.each([
    ['/a:x', true],
    ['a:x', true],
    ['/a:x/a:y', true],
    ['/a:x/a:q', false],
    ['/a:y', false],
    ['/x', false],
    ['/a:x/plain', true],
    ['/a:x/@id', true],
    ['/a:x/@b:id = 2', true],
    ['/a:x/@a:id', false],
    ["/a:x/plain = 'text'", true],
    ["'text' = /a:x/plain", true],
    ["/a:x/a:y != '10'", true],
    ['/a:x/a:y > 100', true],
    ['/a:x/a:y > 205', false],
    ['100 < /a:x/a:y', true],
    ['/a:x/b:y = 7', true],
    ["/a:x/b:y = '7'", false],
    ['count(/a:x/a:y) > 2', true],
    ['count(/a:x/a:y) = 4', false],
    ['3 = count(/a:x/*/text())', false],
    ["/a:x/plain = 'text' and not(/a:x/a:q)", true],
    ['/a:x/a:q or /a:x/plain', true],
    ['false()', false],
    ['0', false],
    ['1', true],
    ["''", false],
    ['number("x")', false],
    ['//a:z', true],
    ['/a:x/a:y[2]/a:z', true],
    ['sum(/a:x/a:y[1] | /a:x/b:y) = 17', true],
    ["starts-with(/a:x/plain, 'te')", true],
    ['/a:x/a:y/following-sibling::b:y', true],
    ['/a:x/descendant::comment()', false],
    ["normalize-space(/a:x/b:y) = '7'", true],
    ['(/a:x/a:y)[1] = 10', true],
    ['-1 < 0', true],
    ['2 * 3 = 6 and 7 mod 2 = 1 and 6 div 3 = 2', true],
  ])('%s: %s', (expression, expected) => {
    const compiled = compileXPathTest(expression, namespaces)
    if (compiled.kind === 'error') throw new Error(compiled.message)
    expect(compiled.test(contentOf(DOCUMENT))).toBe(expected)
    expect(compiled.test({ kind: 'json', value: {} })).toBe(false)
    expect(compiled.test({ kind: 'opaque' })).toBe(false)
  })
})

it('comments and processing instructions are not seen, and don’t part the text around them', () => {
  const content = contentOf('<p>1<!-- c -->2<?pi x?>3</p>')
  const answers = ['/p/text()', '/p/child::node()', '//comment() | //processing-instruction()'].map((expression) =>
    answer(expression, content),
  )
  expect(answers).toEqual([['123'], ['123'], []])
})

function answer(expression: string, content: XmlContent): XPathAnswer {
  const compiled = compileXPath(expression, namespaces)
  if (compiled.kind === 'error') throw new Error(compiled.message)
  return compiled.xpath.answer(content)
}

describe('what passes the check never fails on a document', () => {
  const axes = ['ancestor', 'ancestor-or-self', 'attribute', 'child', 'descendant', 'descendant-or-self', 'following']
  const more = ['following-sibling', 'namespace', 'parent', 'preceding', 'preceding-sibling', 'self']
  it.each([
    ...[...axes, ...more].map((axis) => `//a:y/${axis}::node()`),
    ...['text()', 'comment()', 'processing-instruction()', "processing-instruction('x')", '*', 'a:*'].map(
      (test) => `//${test}`,
    ),
    '//a:y[last() > position()]',
    'count(//a:y)',
    "id('x')",
    'id(//a:y)',
    'local-name()',
    'local-name(//a:y)',
    'namespace-uri()',
    'name(/*)',
    'string()',
    'string(1)',
    "concat('a', 1, true())",
    "starts-with('a', 1)",
    "contains(/, 'x')",
    "substring-before('a', 'b')",
    "substring-after('a', 'b')",
    "substring('abc', 2)",
    "substring('abc', 0 div 0, 1 div 0)",
    'string-length()',
    'normalize-space()',
    "translate('a', 'b', 'c')",
    'boolean(1)',
    'not(1)',
    'true()',
    'false()',
    "lang('en')",
    'number()',
    "number('x')",
    'sum(//a:y)',
    'floor(1.5)',
    'ceiling(-1.5)',
    'round(//a:y)',
    '--1',
    '-(-1)',
    '1 div 0',
    '5 mod 0',
    "'a' < 'b'",
    'true() > //a:y',
    '//a:y = //b:y',
    '//a:y[last()]',
    '//a:y[position() mod 2 = 1][1]/@n',
    '(//a:y | //b:y)[2]/..',
    '/',
    '.',
    '..',
    '/..',
    './/a:z',
    '//@*',
    '@*',
    'div div div',
    'and and and',
    '* * *',
    'or',
    'mod',
    'text',
    'node/text',
    "id('a')/b",
    '(1)',
    "(//a:y)[.='x' or .=10]",
    'a:y[a:z]',
    'xml:lang',
    '//@xml:*',
  ])('%s', (expression) => {
    expect(() => answer(expression, contentOf(DOCUMENT))).not.toThrow()
  })
})

it('documents that are asked about in turn are not mixed up', () => {
  const contents = ['1', '2', '3'].map((value) => contentOf(`<p><q>${value}</q></p>`))
  const asked = [0, 1, 0, 2, 2, 1, 0].map((at) => answer('string(//q[1])', contents[at]!))
  expect(asked).toEqual(['1', '2', '1', '3', '3', '2', '1'])
})

// ------------------------------------------------------------------------------------- the short way and libxml2

/** A small generator with a seed, so that a failure comes again. */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

type Random = (below: number) => number
const pick = <T>(random: Random, list: readonly T[]): T => list[random(list.length)]!

const NAMES = ['x', 'y', 'z']
const URIS = ['', 'urn:a', 'urn:b']
const TEXTS = [
  '1',
  '2',
  ' 3 ',
  '1.5',
  '-2',
  'text',
  '',
  ' ',
  '1e2',
  '+1',
  '.5',
  '5.',
  'é😀',
  "it's",
  'NaN',
  '0x10',
  '1 2',
]

function randomElement(random: Random, depth: number): Element {
  const uri = pick(random, URIS)
  const attributes = NAMES.filter(() => random(3) === 0).flatMap((name) => {
    const attributeUri = pick(random, URIS)
    const prefix = attributeUri === '' ? '' : attributeUri.slice(4)
    return [{ name, uri: attributeUri, prefix, value: pick(random, TEXTS) }]
  })
  const children: Node[] = []
  const count = depth === 0 ? random(2) : random(5)
  for (let index = 0; index < count; index += 1) {
    // Adjacent texts and empty ones, as a parser may leave them.
    children.push(depth === 0 || random(2) === 0 ? pick(random, TEXTS) : randomElement(random, depth - 1))
  }
  return { name: pick(random, NAMES), uri, prefix: '', attributes, namespaces: null, children }
}

const TESTS = ['x', 'y', 'z', 'a:x', 'a:y', 'b:z', '*', 'a:*', 'b:*']
const OPERATORS = ['=', '!=', '<', '<=', '>', '>=']
const CONSTANTS = ["'1'", "'text'", "''", "' 3 '", "'1.5'", "'x'", '1', '2', '1.5', '.5', '0', '100', '"it\'s"']

function randomPath(random: Random): string {
  const steps = Array.from({ length: 1 + random(3) }, () => pick(random, TESTS))
  const end = pick(random, ['', '', '', '/text()', '/@x', '/@a:y', '/@*', '/@b:*'])
  return `${pick(random, ['/', '/', ''])}${steps.join('/')}${end}`
}

function randomTest(random: Random, depth: number): string {
  const path = randomPath(random)
  if (depth > 0 && random(3) === 0)
    return `${randomTest(random, depth - 1)} ${pick(random, ['and', 'or'])} ${randomTest(random, depth - 1)}`
  switch (random(5)) {
    case 0:
      return path
    case 1:
      return `not(${randomTest(random, 0)})`
    case 2:
      return `count(${path}) ${pick(random, OPERATORS)} ${pick(random, CONSTANTS)}`
    case 3:
      return `${pick(random, CONSTANTS)} ${pick(random, OPERATORS)} ${path}`
    default:
      return `${path} ${pick(random, OPERATORS)} ${pick(random, CONSTANTS)}`
  }
}

describe('the short way gives what libxml2 gives', () => {
  const random = generator(20_261)
  const trees = Array.from({ length: 60 }, (): XmlContent => ({ kind: 'xml', root: randomElement(random, 3) }))

  it('for the values of 300 paths on 60 trees', () => {
    const paths = Array.from({ length: 300 }, () => randomPath(random))
    let found = 0
    for (const content of trees) {
      for (const path of paths) {
        const compiled = compileByLibxml2(path, namespaces)
        if (compiled.kind === 'error') throw new Error(`${path}: ${compiled.message}`)
        const expected = compiled.xpath.answer(content)
        expect({ path, is: answer(path, content) }).toEqual({ path, is: expected })
        found += (expected as readonly string[]).length
      }
    }
    // Paths that select nothing would agree whatever they are.
    expect(found).toBeGreaterThan(500)
  })

  it('for the truth of 300 conditions on 60 trees', () => {
    const conditions = Array.from({ length: 300 }, () => randomTest(random, 2))
    let held = 0
    for (const content of trees) {
      for (const condition of conditions) {
        const short = compileXPathTest(condition, namespaces)
        const long = compileByLibxml2(`boolean(${condition})`, namespaces)
        if (short.kind === 'error' || long.kind === 'error') throw new Error(condition)
        const expected = long.xpath.answer(content)
        expect({ condition, holds: short.test(content) }).toEqual({ condition, holds: expected })
        held += Number(expected)
      }
    }
    expect(held).toBeGreaterThan(500)
  })
})

it('expressions that made room for others are compiled again when they are asked', () => {
  const content = contentOf('<a:x xmlns:a="urn:a"><a:y/></a:x>')
  const first = compileByLibxml2('string(count(//a:y))', namespaces)
  for (let count = 0; count <= EXPRESSIONS_KEPT; count++) compileByLibxml2(`/a:x/a:y[${count}]`, namespaces)
  for (let times = 0; times < 2; times++) expect(first.kind === 'ok' && first.xpath.answer(content)).toBe('1')
})
