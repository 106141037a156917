import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../src/documents/digest.ts'
import { noLimits } from '../../src/documents/limits.ts'
import { writeDocument } from '../../src/documents/write.ts'
import { elementNameOf } from '../../src/documents/written-names.ts'
import { type Attribute, type Element, element, isElement, type Node } from '../../src/domain/element.ts'
import { serialise } from '../../src/domain/serialise.ts'

/** What the digest is defined as, without haste. */
function digestBySteps(root: Element): string {
  return createHash('sha256').update(said(root)).digest('hex')
}

function said({ uri, name, attributes, children }: Element): string {
  const order = (one: Attribute, other: Attribute) =>
    one.uri < other.uri || (one.uri === other.uri && one.name < other.name) ? -1 : 1
  const values = [...attributes].sort(order).map((one) => `\u0003${one.uri}\u0002${one.name}\u0004${one.value}`)
  const content = children.map((child) => (isElement(child) ? said(child) : child))
  return `\u0001${uri}\u0002${name}${values.join('')}\u0005${content.join('')}\u0006`
}

function expectSame(root: Element): void {
  const text = serialise(root)
  expect(writeDocument(root, noLimits)).toEqual({ kind: 'written', text, bytes: Buffer.byteLength(text) })
  expect(digestOf(root)).toBe(digestBySteps(root))
}

const long = (text: string, length: number) => text.repeat(Math.ceil(length / text.length)).slice(0, length)

describe('a document is written as `serialise` has it, with the digest of what it says', () => {
  it.each<[string, Node]>([
    ['nothing', element('empty', '')],
    ['plain text', 'flour'],
    ['what is markup elsewhere', 'a < b & c > d\r'],
    ['characters of two, three and four bytes', 'Mehl für Zoë, 小麦粉, 🍞'],
    ['a long text', long('flour & water ', 1_000)],
    ['a text of hundreds of kilobytes', long('小麦粉 ', 200_000)],
    ['texts beside each other', element('a', '', {}, ['x', '', '&', 'y'])],
    [
      'attributes with all that has to be a reference',
      element('a', '', { b: '<&>"\'\t\n\r', a: 'ü', c: long('"', 700) }),
    ],
    ['many attributes in any order', element('a', '', { d: '1', b: '2', a: '3', c: '4' })],
    ['a long name', element(long('name', 500), long('urn:', 500), { [long('attribute', 300)]: '1' })],
    ['a namespace longer than all that is kept', element('a', long('urn:', 100_000), {}, ['x'])],
    ['a name that is not ASCII, and nothing else', element('größe', 'urn:order', {}, ['5'])],
    ['an attribute with a name that is not ASCII, and nothing else', element('a', '', { größe: '5' })],
    ['names of three and four bytes', element('数量', 'urn:order', { 𐐀: '1' }, [element('ü', '', {}, ['x'])])],
    ['a name like a member of every object', element('constructor', '', { __proto__: '1', toString: '2' })],
  ])('%s', (_, child) => {
    expectSame(element('order', 'urn:order', { id: '7' }, [child, child]))
  })

  it('elements whose namespace makes many times the document of what is said', () => {
    const line = element('a', long('urn:long:', 200), {}, ['1'])
    expectSame(element('order', long('urn:long:', 200), {}, Array(2_000).fill(line)))
  })

  it('a document after a much larger one', () => {
    expectSame(element('order', 'urn:order', {}, [long('x', 3_000_000)]))
    expectSame(element('order', 'urn:order', {}, ['x']))
  })

  it('ever new names', () => {
    for (let at = 0; at < 100; at += 1) {
      const names = Array.from({ length: 50 }, (_, index) =>
        element(`n${at}-${index}`, 'urn:n', { [`a${index}-${at}`]: '1' }),
      )
      expectSame(element('names', 'urn:n', {}, names))
    }
  })

  it('ever new namespaces of one name, of which a bounded number is looked through', () => {
    const lines = Array.from({ length: 500 }, (_, at) => element('line', `urn:${at}`, {}, ['1']))
    expectSame(element('order', 'urn:order', {}, [...lines, ...lines]))
    let alike = 0
    for (let one = elementNameOf(lines.at(-1)!); one !== undefined; one = one.next) alike += 1
    expect(alike).toBeGreaterThan(0)
    expect(alike).toBeLessThanOrEqual(65)
  })

  it('1,000 trees by chance, whose prefixes, declarations and namespaces are at odds', () => {
    const random = generator(7)
    for (let at = 0; at < 1_000; at += 1) expectSame(randomElement(random, 3))
  })
})

type Random = (below: number) => number

function generator(seed: number): Random {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return (state >>> 8) % below
  }
}

const URIS = ['', 'urn:a', 'urn:b', 'http://www.w3.org/XML/1998/namespace']
const PREFIXES = ['', 'p', 'q', 'xml']
const NAMES = ['x', 'y', 'longer-name']
const TEXTS = ['', ' ', '\n  ', '1', 'text', 'ü', '<&>', '"', '\t', long('mixed & ', 300)]

function randomElement(random: Random, depth: number): Element {
  const pick = <T>(from: readonly T[]): T => from[random(from.length)]!
  const attributes = NAMES.filter(() => random(4) === 0).map((name) => {
    const uri = random(3) === 0 ? pick(URIS) : ''
    return { name, uri, prefix: uri === '' ? '' : pick(PREFIXES), value: pick(TEXTS) }
  })
  const declared = PREFIXES.filter((prefix) => prefix !== 'xml' && random(6) === 0).map((prefix) => [
    prefix,
    pick(URIS),
  ])
  const children = Array.from({ length: depth === 0 ? random(2) : random(5) }, () =>
    depth === 0 || random(2) === 0 ? pick(TEXTS) : randomElement(random, depth - 1),
  )
  const namespaces = declared.length === 0 ? null : Object.fromEntries(declared)
  return { name: pick(NAMES), uri: pick(URIS), prefix: pick(PREFIXES), attributes, namespaces, children }
}
