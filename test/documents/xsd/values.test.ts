import { describe, expect, it } from 'vitest'
import { admits, enumerationOf, readPattern } from '../../../src/documents/xsd/values.ts'
import { schemaOf } from './given.ts'

const simple = (restriction: string) =>
  schemaOf(`<xs:simpleType name="t">${restriction}</xs:simpleType>`).types.get('t')!
const restricted = (base: string, facets = '') => simple(`<xs:restriction base="${base}">${facets}</xs:restriction>`)
const facets = (given: Readonly<Record<string, string | number>>) =>
  Object.entries(given)
    .map(([name, value]) => `<xs:${name} value="${value}"/>`)
    .join('')
const oneOf = (...values: readonly string[]) => values.map((value) => `<xs:enumeration value="${value}"/>`).join('')

describe('a value of a simple type', () => {
  it.each([
    ['an enumeration', restricted('xs:string', oneOf('EUR', 'USD')), ['EUR'], ['eur', ' EUR', '']],
    ['an enumeration with collapsed space', restricted('xs:token', oneOf('A B')), ['A B', ' A  B '], ['AB']],
    ['an enumeration of numbers', restricted('xs:decimal', oneOf('1.0', '2')), ['1', '01.00', '2'], ['3', 'x']],
    ['a boolean', restricted('xs:boolean'), ['true', '0', ' 1 '], ['yes', 'TRUE', '']],
    ['a decimal', restricted('xs:decimal'), ['1', '-.5', '1.'], ['1e3', '1,5', 'INF', '']],
    ['a double', restricted('xs:double'), ['1e3', 'INF', 'NaN'], ['inf', 'x']],
    ['a positive integer', restricted('xs:positiveInteger'), ['1', '99'], ['0', '-1']],
    ['bounds', restricted('xs:int', facets({ minInclusive: 5, maxExclusive: 9 })), ['5', '8'], ['4', '9']],
    ['narrower bounds', restricted('xs:nonNegativeInteger', facets({ minExclusive: 5 })), ['6'], ['5', '0']],
    ['a length', restricted('xs:string', facets({ minLength: 2, maxLength: 3 })), ['ab', 'abc'], ['a', 'abcd']],
    ['an exact length', restricted('xs:token', facets({ length: 2 })), ['ab', ' a b'.replace(' b', 'b')], ['abc']],
    ['a pattern', restricted('xs:string', '<xs:pattern value="[A-Z]{3,3}"/>'), ['EUR'], ['eur', 'EURO', '']],
    [
      'patterns, of which one',
      restricted('xs:string', '<xs:pattern value="a+"/><xs:pattern value="b"/>'),
      ['aa', 'b'],
      ['ab'],
    ],
    ['a date', restricted('xs:date'), ['2026-11-21', '2026-11-21Z'], ['21.11.2026', '2026-11-21T00:00:00']],
    ['a list', simple('<xs:list itemType="xs:int"/>'), ['1 2', '', ' 3 '], ['1 x']],
    ['a union', simple('<xs:union memberTypes="xs:int xs:boolean"/>'), ['7', 'true'], ['x']],
  ])('of %s', (_, type, should, shouldNot) => {
    expect(should.map((text) => [text, admits(type, text)])).toEqual(should.map((text) => [text, 'yes']))
    expect(shouldNot.map((text) => [text, admits(type, text)])).toEqual(shouldNot.map((text) => [text, 'no']))
  })

  it.each([
    ['a pattern of another language', restricted('xs:string', '<xs:pattern value="\\i\\c*"/>')],
    ['a class with a subtraction', restricted('xs:string', '<xs:pattern value="[a-z-[x]]"/>')],
    ['bounds of dates', restricted('xs:date', facets({ minInclusive: '2026-01-01' }))],
    ['the length of octets', restricted('xs:base64Binary', facets({ length: 3 }))],
    ['an unknown base', restricted('nowhere')],
    ['a union with an unknown member', simple('<xs:union memberTypes="xs:int nowhere"/>')],
  ])('of %s is neither admitted nor refused', (_, type) => {
    expect(admits(type, '2026-01-02')).toBe('unknown')
  })

  it('is looked up in the content of a complex type', () => {
    const text = `<xs:complexType name="t"><xs:simpleContent><xs:extension base="c"/></xs:simpleContent></xs:complexType>
      <xs:simpleType name="c"><xs:restriction base="xs:string">${oneOf('A')}</xs:restriction></xs:simpleType>`
    const type = schemaOf(text).types.get('t')!
    expect([admits(type, 'A'), admits(type, 'B'), enumerationOf(type)]).toEqual(['yes', 'no', ['A']])
  })
})

describe('a pattern', () => {
  it('takes ^ and $ for characters', () => {
    expect(readPattern('a$')!.test('a$')).toBe(true)
    expect(readPattern('[^a]')!.test('b')).toBe(true)
    expect(readPattern('\\d{2}')!.test('12')).toBe(true)
  })
  it('that could keep an engine busy is not tried', () => {
    expect(readPattern('(a+)+')).toBeUndefined()
    expect(readPattern('(a|b*)*c')).toBeUndefined()
  })
})
