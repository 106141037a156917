import type { Json } from '../../../src/domain/document.ts'

/** As for XML Schema: what changed, the old and the new version, and the answers backward and forward. */
export type JsonPair = readonly [
  what: string,
  old: Json,
  next: Json,
  backward: 'yes' | 'no' | '?',
  forward: 'yes' | 'no' | '?',
]

const object = (
  properties: { readonly [name: string]: Json },
  more: { readonly [keyword: string]: Json } = {},
): Json => ({
  type: 'object',
  properties,
  ...more,
})
const closed = { additionalProperties: false }
const text = { type: 'string' }
const number = { type: 'number' }
const integer = { type: 'integer' }

export const JSON_PAIRS: readonly JsonPair[] = [
  [
    'a closed object gets an optional property',
    object({ a: text }, closed),
    object({ a: text, b: text }, closed),
    'yes',
    'no',
  ],
  ['an open object gets an optional property', object({ a: text }), object({ a: text, b: text }), 'no', 'yes'],
  [
    'an open object gets a property that may be anything',
    object({ a: text }),
    object({ a: text, b: true }),
    'yes',
    'yes',
  ],
  ['an open object is closed', object({ a: text }), object({ a: text }, closed), 'no', 'yes'],
  [
    'an open object of texts gets a property that is a text',
    object({ a: text }, { additionalProperties: text }),
    object({ a: text, b: text }, { additionalProperties: text }),
    'yes',
    'yes',
  ],
  ['a property becomes required', object({ a: text }), object({ a: text }, { required: ['a'] }), 'no', 'yes'],
  ['a property is renamed in a closed object', object({ a: text }, closed), object({ b: text }, closed), 'no', 'no'],
  ['a property is no longer listed in an open object', object({ a: text }), object({ b: true }), 'yes', 'no'],
  ['an integer becomes a number', integer, number, 'yes', 'no'],
  ['null is allowed too', text, { type: ['string', 'null'] }, 'yes', 'no'],
  ['an enumeration is widened', { enum: ['a', 'b'] }, { enum: ['a', 'b', 'c'] }, 'yes', 'no'],
  ['an enumeration becomes any text', { enum: ['a', 'b'] }, text, 'yes', 'no'],
  ['a constant becomes an enumeration', { const: 1 }, { enum: [1, 2] }, 'yes', 'no'],
  [
    'bounds are loosened',
    { ...number, minimum: 1, maximum: 5 },
    { ...number, minimum: 0, exclusiveMaximum: 6 },
    'yes',
    'no',
  ],
  ['a multiple is refined', { ...integer, multipleOf: 10 }, { ...integer, multipleOf: 5 }, 'yes', 'no'],
  ['a length is limited', text, { ...text, maxLength: 5 }, 'no', 'yes'],
  ['a pattern is added', text, { ...text, pattern: '^[A-Z]{3}$' }, 'no', 'yes'],
  ['a pattern is written otherwise', { ...text, pattern: '^[ab]$' }, { ...text, pattern: '^(a|b)$' }, '?', '?'],
  ['items narrow', { type: 'array', items: number }, { type: 'array', items: integer }, 'no', 'yes'],
  ['items are limited', { type: 'array', items: text }, { type: 'array', items: text, maxItems: 3 }, 'no', 'yes'],
  ['a value becomes one of two', text, { anyOf: [text, integer] }, 'yes', 'no'],
  ['anyOf is reordered', { anyOf: [text, integer] }, { anyOf: [integer, text] }, 'yes', 'yes'],
  ['types become anyOf', { type: ['string', 'integer'] }, { anyOf: [integer, text] }, 'yes', 'yes'],
  [
    'oneOf by a constant gets a case',
    { oneOf: [object({ k: { const: 'a' } }, { required: ['k'] })] },
    { oneOf: [object({ k: { const: 'a' } }, { required: ['k'] }), object({ k: { const: 'b' } }, { required: ['k'] })] },
    'yes',
    'no',
  ],
  [
    'allOf is put together',
    { allOf: [object({ a: text }), { required: ['a'] }] },
    object({ a: text }, { required: ['a'] }),
    'yes',
    'yes',
  ],
  [
    'a definition is moved',
    object({ a: { $ref: '#/$defs/t' } }, { $defs: { t: text } }),
    object({ a: text }),
    'yes',
    'yes',
  ],
  [
    'a recursive schema narrows',
    object({ v: number, n: { $ref: '#' } }, closed),
    object({ v: integer, n: { $ref: '#' } }, closed),
    'no',
    'yes',
  ],
  ['a format is added', text, { ...text, format: 'date' }, 'no', 'yes'],
  [
    'unevaluated properties',
    { ...(object({ a: text }) as object), unevaluatedProperties: false },
    object({ a: text }, { unevaluatedProperties: false, title: 'x' }),
    '?',
    '?',
  ],
  ['not is kept', { not: integer, title: 'x' }, { not: integer }, 'yes', 'yes'],
  [
    'deep within, a property narrows',
    object({ a: object({ b: object({ c: number }) }) }),
    object({ a: object({ b: object({ c: integer }) }) }),
    'no',
    'yes',
  ],
]
