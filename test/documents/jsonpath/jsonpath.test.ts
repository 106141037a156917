import { describe, expect, it } from 'vitest'
import { compileJsonPath } from '../../../src/documents/jsonpath/jsonpath.ts'
import type { Json } from '../../../src/domain/document.ts'
import { processorMs } from '../../processor.ts'

function select(path: string, document: Json): readonly Json[] | string {
  const compiled = compileJsonPath(path)
  if (compiled.kind === 'error') return compiled.message
  const selected = compiled.jsonpath.select(document)
  return selected.kind === 'nodes' ? selected.values : selected.kind
}

type Rows = readonly (readonly [path: string, values: readonly Json[]])[]

/** RFC 9535, Figure 1. */
const sayings: Json = { category: 'reference', author: 'Nigel Rees', title: 'Sayings of the Century', price: 8.95 }
const sword: Json = { category: 'fiction', author: 'Evelyn Waugh', title: 'Sword of Honour', price: 12.99 }
const moby: Json = {
  category: 'fiction',
  author: 'Herman Melville',
  title: 'Moby Dick',
  isbn: '0-553-21311-3',
  price: 8.99,
}
const rings: Json = {
  category: 'fiction',
  author: 'J. R. R. Tolkien',
  title: 'The Lord of the Rings',
  isbn: '0-395-19395-8',
  price: 22.99,
}
const books: Json = [sayings, sword, moby, rings]
const bicycle: Json = { color: 'red', price: 399 }
const store: Json = { store: { book: books, bicycle } }

const letters: Json = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
const sections: readonly (readonly [section: string, document: Json, rows: Rows])[] = [
  [
    '1.5, the bookstore',
    store,
    [
      ['$.store.book[*].author', ['Nigel Rees', 'Evelyn Waugh', 'Herman Melville', 'J. R. R. Tolkien']],
      ['$..author', ['Nigel Rees', 'Evelyn Waugh', 'Herman Melville', 'J. R. R. Tolkien']],
      ['$.store.*', [books, bicycle]],
      ['$.store..price', [8.95, 12.99, 8.99, 22.99, 399]],
      ['$..book[2]', [moby]],
      ['$..book[2].author', ['Herman Melville']],
      ['$..book[2].publisher', []],
      ['$..book[-1]', [rings]],
      ['$..book[0,1]', [sayings, sword]],
      ['$..book[:2]', [sayings, sword]],
      ['$..book[?@.isbn]', [moby, rings]],
      ['$..book[?@.price<10]', [sayings, moby]],
    ],
  ],
  ['2.2, the root', { k: 'v' }, [['$', [{ k: 'v' }]]]],
  [
    '2.3.1, names',
    { o: { 'j j': { 'k.k': 3 } }, "'": { '@': 2 } },
    [
      [`$.o['j j']`, [{ 'k.k': 3 }]],
      [`$.o['j j']['k.k']`, [3]],
      [`$.o["j j"]["k.k"]`, [3]],
      [`$["'"]["@"]`, [2]],
      [`$['\\'']['\\u0040']`, [2]],
    ],
  ],
  [
    '2.3.2, wildcards',
    { o: { j: 1, k: 2 }, a: [5, 3] },
    [
      ['$[*]', [{ j: 1, k: 2 }, [5, 3]]],
      ['$.o[*]', [1, 2]],
      ['$.o[*, *]', [1, 2, 1, 2]],
      ['$.a[*]', [5, 3]],
    ],
  ],
  [
    '2.3.3, indexes',
    ['a', 'b'],
    [
      ['$[1]', ['b']],
      ['$[-2]', ['a']],
      ['$[2]', []],
      ['$[-3]', []],
    ],
  ],
  [
    '2.3.4, slices',
    letters,
    [
      ['$[1:3]', ['b', 'c']],
      ['$[5:]', ['f', 'g']],
      ['$[1:5:2]', ['b', 'd']],
      ['$[5:1:-2]', ['f', 'd']],
      ['$[::-1]', ['g', 'f', 'e', 'd', 'c', 'b', 'a']],
      ['$[:]', ['a', 'b', 'c', 'd', 'e', 'f', 'g']],
      ['$[::0]', []],
      ['$[-2:]', ['f', 'g']],
      ['$[9:-9:-3]', ['g', 'd', 'a']],
      ['$[ 1 : 3 ]', ['b', 'c']],
    ],
  ],
  [
    '2.3.5, filters',
    {
      a: [3, 5, 1, 2, 4, 6, { b: 'j' }, { b: 'k' }, { b: {} }, { b: 'kilo' }],
      o: { p: 1, q: 2, r: 3, s: 5, t: { u: 6 } },
      e: 'f',
    },
    [
      [`$.a[?@.b == 'kilo']`, [{ b: 'kilo' }]],
      [`$.a[?(@.b == 'kilo')]`, [{ b: 'kilo' }]],
      ['$.a[?@>3.5]', [5, 4, 6]],
      ['$.a[?@.b]', [{ b: 'j' }, { b: 'k' }, { b: {} }, { b: 'kilo' }]],
      [
        '$[?@.*]',
        [[3, 5, 1, 2, 4, 6, { b: 'j' }, { b: 'k' }, { b: {} }, { b: 'kilo' }], { p: 1, q: 2, r: 3, s: 5, t: { u: 6 } }],
      ],
      ['$[?@[?@.b]]', [[3, 5, 1, 2, 4, 6, { b: 'j' }, { b: 'k' }, { b: {} }, { b: 'kilo' }]]],
      ['$.o[?@<3, ?@<3]', [1, 2, 1, 2]],
      [`$.a[?@<2 || @.b == "k"]`, [1, { b: 'k' }]],
      [`$.a[?match(@.b, "[jk]")]`, [{ b: 'j' }, { b: 'k' }]],
      [`$.a[?search(@.b, "[jk]")]`, [{ b: 'j' }, { b: 'k' }, { b: 'kilo' }]],
      ['$.o[?@>1 && @<4]', [2, 3]],
      ['$.o[?@.u || @.x]', [{ u: 6 }]],
      ['$.a[?@.b == $.x]', [3, 5, 1, 2, 4, 6]],
      ['$.a[?@ == @]', [3, 5, 1, 2, 4, 6, { b: 'j' }, { b: 'k' }, { b: {} }, { b: 'kilo' }]],
      ['$.o[?!(@ > 2)]', [1, 2, { u: 6 }]],
      ['$.o[?!@.u]', [1, 2, 3, 5]],
    ],
  ],
  [
    '2.4, functions',
    [
      { t: 'abc', l: [1, 2] },
      { t: '\u{1f600}', l: [] },
      { t: 7, l: { x: null } },
    ],
    [
      ['$[?length(@.t) == 3].t', ['abc']],
      ['$[?length(@.t) == 1].t', ['\u{1f600}']],
      ['$[?length(@.l) < 2].t', ['\u{1f600}', 7]],
      ['$[?length(@.none) == length(@.t)].t', [7]],
      ['$[?count(@.l[*]) > 0].t', ['abc', 7]],
      ['$[?count(@..*) == 2].t', ['\u{1f600}']],
      ['$[?value(@..x) == null].t', [7]],
      ['$[?value(@.l[*]) == 1].t', []],
      [`$[?match(@.t, 'a.*')].t`, ['abc']],
      [`$[?match(@.t, 'b')].t`, []],
      [`$[?search(@.t, 'b')].t`, ['abc']],
      [`$[?match(@.t, 1)].t`, []],
      [`$[?match(@.t, '.')].t`, ['\u{1f600}']],
      [`$[?!match(@.t, '.*')].t`, [7]],
    ],
  ],
  [
    '2.5.1, child segments',
    letters,
    [
      ['$[0, 3]', ['a', 'd']],
      ['$[0:2, 5]', ['a', 'b', 'f']],
      ['$[0, 0]', ['a', 'a']],
    ],
  ],
  [
    '2.5.2, descendant segments',
    { o: { j: 1, k: 2 }, a: [5, 3, [{ j: 4 }, { k: 6 }]] },
    [
      ['$..j', [1, 4]],
      ['$..[0]', [5, { j: 4 }]],
      ['$..o', [{ j: 1, k: 2 }]],
      ['$.o..[*, *]', [1, 2, 1, 2]],
      ['$.a..[0, 1]', [5, 3, { j: 4 }, { k: 6 }]],
      [
        '$..*',
        [{ j: 1, k: 2 }, [5, 3, [{ j: 4 }, { k: 6 }]], 1, 2, 5, 3, [{ j: 4 }, { k: 6 }], { j: 4 }, { k: 6 }, 4, 6],
      ],
    ],
  ],
  [
    '2.6, null',
    { a: null, b: [null], c: [{}], null: 1 },
    [
      ['$.a', [null]],
      ['$.a[0]', []],
      ['$.a.d', []],
      ['$.b[0]', [null]],
      ['$.b[*]', [null]],
      ['$.b[?@]', [null]],
      ['$.b[?@==null]', [null]],
      ['$.c[?@.d==null]', []],
      ['$.null', [1]],
    ],
  ],
  [
    'what JavaScript would do otherwise',
    { constructor: 1, '☺': 2, a: { length: 3 }, s: 'text' },
    [
      ['$.constructor', [1]],
      ['$.toString', []],
      ['$["__proto__"]', []],
      ['$.☺', [2]],
      ['$["\\u263A"]', [2]],
      ['$.a.length', [3]],
      ['$.s.length', []],
      ['$.s[0]', []],
      ['$\n.a\t.length', [3]],
    ],
  ],
]

describe.each(sections)('RFC 9535 %s', (_, document, rows) => {
  it.each(rows)('%s', (path, values) => {
    expect(select(path, document)).toEqual(values)
  })
})

/** RFC 9535, Table 11: comparisons, on `{"obj": {"x": "y"}, "arr": [2, 3]}`. */
describe('RFC 9535 table of comparisons', () => {
  it.each([
    ['$.absent1 == $.absent2', true],
    ['$.absent1 <= $.absent2', true],
    [`$.absent == 'g'`, false],
    ['$.absent1 != $.absent2', false],
    [`$.absent != 'g'`, true],
    ['1 <= 2', true],
    ['1 > 2', false],
    [`13 == '13'`, false],
    [`'a' <= 'b'`, true],
    [`'a' > 'b'`, false],
    ['$.obj == $.arr', false],
    ['$.obj != $.arr', true],
    ['$.obj == $.obj', true],
    ['$.obj != $.obj', false],
    ['$.arr == $.arr', true],
    ['$.arr != $.arr', false],
    ['$.obj == 17', false],
    ['$.obj != 17', true],
    ['$.obj <= $.arr', false],
    ['$.obj < $.arr', false],
    ['$.obj <= $.obj', true],
    ['$.arr <= $.arr', true],
    ['1 <= $.arr', false],
    ['1 >= $.arr', false],
    ['1 > $.arr', false],
    ['1 < $.arr', false],
    ['true <= true', true],
    ['true > true', false],
    [`'\uff5e' < '\u{1f600}'`, true],
    ['-0 == 0', true],
    ['1e2 == 100', true],
  ])('%s is %s', (comparison, expected) => {
    const document = { obj: { x: 'y' }, arr: [2, 3] }
    expect(select(`$[?${comparison}]`, document)).toHaveLength(expected ? 2 : 0)
  })
})

describe('what is no JSONPath', () => {
  it.each([
    ['', '$ should be'],
    ['a', '$ should be'],
    [' $', '$ should be'],
    ['$ ', 'a segment or the end'],
    ['$.', 'a name or *'],
    ['$..', 'a name or *'],
    ['$. a', 'a name or *'],
    ['$.1a', 'a name or *'],
    ['$.a-b', 'a segment or the end'],
    ['$[]', 'a selector'],
    ['$[a]', 'a selector'],
    ['$[01]', '01 is no index'],
    ['$[-0]', '-0 is no index'],
    ['$[9007199254740992]', 'is no index'],
    ['$[1', '] should be'],
    [`$['a]`, 'a quote is not closed'],
    [`$['\\"']`, '\\" is no escape'],
    [`$["\\u12"]`, 'four hexadecimal digits'],
    [`$["\\uD800"]`, 'both halves'],
    [`$["\n"]`, 'a control character'],
    ['$[?@.*==0]', 'only a path of names and indexes can be compared'],
    ['$[?@..a==0]', 'only a path of names and indexes can be compared'],
    ['$[?1]', 'a value is no condition'],
    ['$[?true]', 'a value is no condition'],
    ['$[?@.a == ]', 'a query, a literal or a function'],
    ['$[?!@.a == 1]', '] should be'],
    ['$[?length(@.*) < 3]', 'only a path of names and indexes can be compared'],
    ['$[?count(1) == 1]', 'count() takes a query'],
    ['$[?count(foo(@.*)) == 1]', 'foo() is no function'],
    [`$[?match(@.timezone, 'Europe/.*') == true]`, 'match and search are not compared'],
    ['$[?value(@..color)]', 'a value is no condition'],
    ['$[?length(@.a, 1) == 1]', 'takes one argument, not 2'],
    ['$[?count () == 1]', 'a query, a literal or a function'],
    [`$[?match(@.a, $.b)]`, 'must stand in the query as a text'],
    [`$[?match(@.a, '(a+)+')]`, 'repeats a repetition'],
    [`$[?match(@.a, '(?=a)')]`, 'no expression of RFC 9485'],
    [`$[?match(@.a, '\\\\d')]`, 'no expression of RFC 9485'],
    [`$[?match(@.a, '(')]`, 'no expression of RFC 9485'],
    [`$[?${'('.repeat(200)}@.a${')'.repeat(200)}]`, 'more than 100 deep'],
    [`$${'[?@'.repeat(200)}`, 'more than 100 deep'],
  ])('%s', (path, reason) => {
    expect(select(path, {})).toContain(reason)
  })
})

describe('on a document made to cost much', () => {
  const deep = (depth: number): Json => (depth === 0 ? 1 : { a: deep(depth - 1), b: deep(depth - 1) })
  const wide: Json = Array.from({ length: 2_000 }, (_, at) => ({ a: at }))
  it.each([
    ['$..*..*..*', deep(12)],
    ['$[?count($..*) > 0]', wide],
    ['$[?$ == $]', wide],
    ['$[*,*,*,*,*,*,*,*,*,*][*,*,*,*,*,*,*,*,*,*][*]', wide.map((one) => [one, [one]]) as Json],
  ])('%s is given up', (path, document) => {
    const begun = processorMs()
    expect(select(path, document)).toBe('too-costly')
    expect(processorMs() - begun).toBeLessThan(2_000)
  })

  it('a long chain of levels does not end the stack', () => {
    let chain: Json = 1
    for (let depth = 0; depth < 20_000; depth += 1) chain = [chain]
    expect(select('$..[0][?@ == 2]', chain)).toEqual([])
  })
})
