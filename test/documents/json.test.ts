import { describe, expect, it } from 'vitest'
import { parseJson } from '../../src/documents/json.ts'
import { noLimits } from '../../src/documents/limits.ts'

const TEXTS = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '-1.5e+10',
  '1E2',
  '""',
  '"a"',
  '[]',
  '{}',
  '[[]]',
  '[{}]',
  '{"a":{}}',
  ' [ 1 , 2 ] ',
  '\t\r\n{"a" : [ true , null ] }\n',
  '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9"',
  '"\\ud83d\\ude00"',
  '"é😀"',
  '{"":1}',
  '{"a":1,"b":[{"a":1}]}',
  '',
  ' ',
  '+1',
  '.5',
  '5.',
  '01',
  '-',
  '1e',
  '--1',
  '0x1',
  'tru',
  'nullx',
  'undefined',
  "'a'",
  '"a',
  'a"',
  '"\\',
  '"\\u12"',
  '"\\q"',
  '"\n"',
  '[',
  ']',
  '[,]',
  '[1,]',
  '[1 2]',
  '[1',
  '{',
  '}',
  '{,}',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{"a" 1}',
  '{a:1}',
  '{1:1}',
  '[1]]',
  '{}}',
  '1 2',
  '\u00a01',
  '\ufeff1',
]

describe('JSON is read as JSON.parse reads it', () => {
  it.each(TEXTS.map((text) => [text]))('%j', (text) => {
    const parsed = parseJson(text, noLimits)
    expect(parsed.kind === 'json' ? { value: parsed.value } : 'refused').toEqual(byPlatform(text))
  })

  it('for texts that were changed in one place', () => {
    const whole = '{"a":[1,-2.5e3,"x\\n"],"b":{"c":null,"d":[true,false,{}]}}'
    const changes = ['', '"', '\\', ',', ':', '{', '}', '[', ']', '0', 'e', '-', ' ']
    let refused = 0
    for (let at = 0; at < whole.length; at += 1) {
      for (const change of changes) {
        const text = whole.slice(0, at) + change + whole.slice(at + 1)
        const expected = byPlatform(text)
        const parsed = parseJson(text, noLimits)
        expect({ text, is: parsed.kind === 'json' ? { value: parsed.value } : 'refused' }).toEqual({
          text,
          is: expected,
        })
        refused += Number(expected === 'refused')
      }
    }
    expect(refused).toBeGreaterThan(300)
  })
})

function byPlatform(text: string): { readonly value: unknown } | 'refused' {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return 'refused'
  }
}
