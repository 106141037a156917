import { describe, expect, it } from 'vitest'
import type { DocumentType, Identify } from '../../src/domain/document-type.ts'
import { overlapOfTypes } from '../../src/domain/type-overlap.ts'

const UBL = '{urn:i}Invoice'
const SOAP = '{http://www.w3.org/2003/05/soap-envelope}Envelope'
const ID = '/i:Invoice/c:CustomizationID'
const PROFILE = '/i:Invoice/c:ProfileID'

const typeOf = (name: string, identify: Identify, more: Partial<DocumentType> = {}) => {
  return { name, identify, namespaces: { i: 'urn:i', c: 'urn:c' }, families: [], ...more }
}
const kindOf = (a: Identify, b: Identify, more: Partial<DocumentType> = {}) => {
  const kinds = [
    overlapOfTypes(typeOf('a', a), typeOf('b', b, more)),
    overlapOfTypes(typeOf('b', b, more), typeOf('a', a)),
  ]
  expect(kinds[0]?.kind).toBe(kinds[1]?.kind)
  return kinds[0]?.kind
}
const xml = (more: Omit<NonNullable<Identify['xml']>, 'root'> = {}, root = UBL): Identify => ({
  xml: { root, ...more },
})

describe('two types that match one document', () => {
  it.each<[string, Identify, Identify, 'sure' | 'possible' | undefined]>([
    ['the same root', xml(), xml(), 'sure'],
    ['different roots', xml(), xml({}, '{urn:o}Order'), undefined],
    ['a root, and the same with a value', xml(), xml({ match: { [ID]: ['x'] } }), 'sure'],
    ['two values at one path', xml({ match: { [ID]: ['x'] } }), xml({ match: { [ID]: ['y'] } }), undefined],
    ['the same value at one path', xml({ match: { [ID]: ['x'] } }), xml({ match: { [ID]: ['x'] } }), 'sure'],
    ['lists that share a value', xml({ match: { [ID]: ['x', 'y'] } }), xml({ match: { [ID]: ['y', 'z'] } }), 'sure'],
    ['values at two paths', xml({ match: { [ID]: ['x'] } }), xml({ match: { [PROFILE]: ['y'] } }), 'possible'],
    [
      'two values at one of two paths',
      xml({ match: { [ID]: ['x'], [PROFILE]: ['1'] } }),
      xml({ match: { [ID]: ['x'], [PROFILE]: ['2'] } }),
      undefined,
    ],
    ['two conditions', xml({ where: '/i:Invoice/@a' }), xml({ where: '/i:Invoice/@b' }), undefined],
    ['the same condition', xml({ where: '/i:Invoice/@a' }), xml({ where: '/i:Invoice/@a' }), 'sure'],
    ['a condition, and none', xml({ where: '/i:Invoice/@a' }), xml(), 'sure'],
    ['two bodies', xml({ body: '{urn:o}order' }, SOAP), xml({ body: '{urn:o}invoice' }, SOAP), undefined],
    ['one body', xml({ body: '{urn:o}order' }, SOAP), xml({ body: '{urn:o}order' }, SOAP), 'sure'],
    ['any body, and one', xml({}, SOAP), xml({ body: '{urn:o}order' }, SOAP), 'sure'],
    ['XML and JSON', xml(), { json: { datatype: 'a' } }, undefined],
    ['JSON values at two pointers', { json: { match: { '/a': 1 } } }, { json: { match: { '/b': 1 } } }, 'possible'],
    ['two JSON values at one', { json: { match: { '/a': 1 } } }, { json: { match: { '/a': 2 } } }, undefined],
    ['a datatype, and a value', { json: { datatype: 'd' } }, { json: { match: { '/a': 1 } } }, 'possible'],
    ['one media type', { mediaType: 'image/png' }, { mediaType: 'IMAGE/PNG' }, 'sure'],
  ])('%s', (_, a, b, kind) => {
    expect(kindOf(a, b)).toBe(kind)
  })

  it('paths are compared by what their prefixes stand for', () => {
    const path = { match: { "/j:Invoice[@t='i:x']/c:CustomizationID": ['x'] } }
    const same = { match: { "/i:Invoice[@t='i:x']/c:CustomizationID": ['y'] } }
    expect(kindOf(xml(same), xml(path), { namespaces: { j: 'urn:i', c: 'urn:c' } })).toBeUndefined()
    expect(kindOf(xml(same), xml(path), { namespaces: { j: 'urn:j', c: 'urn:c' } })).toBe('possible')
  })

  it('are no conflict where they are versions of one type, or one is within the family of the other', () => {
    expect(overlapOfTypes(typeOf('a', xml()), typeOf('a', xml()))).toBeUndefined()
    expect(kindOf(xml(), xml({ match: { [ID]: ['x'] } }), { families: ['a'] })).toBeUndefined()
  })
})
