import { describe, expect, it } from 'vitest'
import { automatonOf, type States } from '../../src/matching/expression.ts'
import { isFillable } from '../../src/matching/fillable.ts'
import { toJid, toNode } from './samples.ts'

const accepts = (expression: string, text: string): boolean | undefined => {
  const automaton = automatonOf(expression)
  if (!automaton) return undefined
  let states: States = automaton.start
  for (const character of text) states = automaton.after(states, character)
  return automaton.isAccepted(states)
}

describe('an expression as an automaton', () => {
  const expressions = [
    'abc',
    'a|bc',
    '(a|b)c',
    'a*b+c?',
    '[a-c]{2}',
    '[^a]b',
    'a{2,3}',
    'a{2,}',
    '(?:ab)+',
    '(?<n>a)b',
    '\\d+\\.\\d{2}',
    '\\w-\\S',
    'a.c',
    '\\u0061b',
    '\\p{Lu}[\\p{L}-]*',
    'a{0,50}b',
    '',
    '(|a)b',
    '[A-Z]{3}|x/y',
    'a+?b*?',
    '[\\]a]b',
  ]
  const texts = [
    '',
    'a',
    'b',
    'ab',
    'abc',
    'bc',
    'ac',
    'aab',
    'aaab',
    'cc',
    'xb',
    'aa',
    'aaa',
    'abab',
    '1.25',
    'x-y',
    'axc',
    'Éa-b',
    'EUR',
    'x/y',
    ']b',
    'a\nc',
  ]

  it.each(expressions)('%s takes what the engine takes', (expression) => {
    const engine = new RegExp(`^(?:${expression})$`, 'u')
    expect(texts.map((text) => [text, accepts(expression, text)])).toEqual(
      texts.map((text) => [text, engine.test(text)]),
    )
  })

  it.each(['^a', 'a$', '(?=a)b', '(?<!a)b', '(a)\\1', '\\ba', '(((((a{40}){40}){40}){40}){40})'])(
    '%s is not understood',
    (expression) => {
      expect(automatonOf(expression)).toBeUndefined()
    },
  )
})

describe('a template', () => {
  const any = () => undefined
  const values =
    (...list: readonly string[]) =>
    (place: string) =>
      place === 'a' ? list : undefined

  it.each([
    ['any value', toNode('n/{a}', { allow: 'n/.+' }), any],
    ['one of the values', toNode('n/{a}', { allow: 'n/(x|y)' }), values('z', 'x')],
    ['a value that is encoded', toNode('{a}', { allow: 'a%2Fb' }), values('a/b')],
    ['two places', toNode('{a}-{b}', { allow: '[a-z]+-[0-9]+' }), any],
    ['a localpart that is escaped', toJid('{a}@x.org', { allow: '[^@]+@x\\.org' }), values('a b')],
    ['a localpart in capitals', toJid('{a}@X.org', { allow: 'abc@x\\.org' }), values('ABC')],
    ['what is not understood', toNode('{a}', { allow: '(?=b)b' }), values('a')],
  ])('can be filled with %s', (_, template, valuesOf) => expect(isFillable(template, valuesOf)).toBe(true))

  it.each([
    ['another beginning', toNode('n/{a}', { allow: 'm/.+' }), any],
    ['none of the values', toNode('n/{a}', { allow: 'n/(x|y)' }), values('z', 'X')],
    ['a slash, which is encoded', toNode('{a}', { allow: '[a-z]+/[a-z]+' }), any],
    ['a space, which is encoded', toNode('{a}', { allow: '[a-z]+ [a-z]+' }), any],
    ['nothing at all', toNode('n/{a}', { allow: 'n/' }), any],
    ['an empty value', toNode('n/{a}', { allow: '.*' }), values('')],
  ])('can not be filled where allow wants %s', (_, template, valuesOf) => {
    expect(isFillable(template, valuesOf)).toBe(false)
  })
})
