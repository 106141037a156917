import {
  current,
  expectSymbol,
  problem,
  type Reader,
  skipAnnotations,
  take,
  takeLiteral,
  takeName,
  takeSymbol,
  XSD_TYPES,
} from './reader.ts'
import { node, type RngNode } from './rng.ts'
import type { Token } from './tokens.ts'

/** @param readExcepted what stands behind `-` */
export function readData(reader: Reader, readExcepted: (reader: Reader) => RngNode): RngNode {
  const token = take(reader)
  const type = typeNamed(reader, token)
  if (current(reader).kind === 'literal') return readValue(reader, type, token)
  const params = takeSymbol(reader, '{') ? readParams(reader) : []
  const except = takeSymbol(reader, '-') ? [node('except', token, {}, [readExcepted(reader)])] : []
  return node('data', token, type, [...params, ...except])
}

function typeNamed(reader: Reader, token: Token): Readonly<Record<string, string>> {
  if (token.kind === 'name') return { type: token.text, datatypeLibrary: '' }
  const [prefix = '', type = ''] = token.text.split(':')
  const datatypeLibrary = reader.datatypes.get(prefix)
  if (datatypeLibrary === undefined) throw problem(reader, `the data types ${prefix} aren't declared`, token)
  if (datatypeLibrary !== XSD_TYPES && datatypeLibrary !== '') {
    throw problem(reader, `the data types ${datatypeLibrary} aren't there: those of XML Schema are`, token)
  }
  return { type, datatypeLibrary }
}

function readParams(reader: Reader): readonly RngNode[] {
  const params: RngNode[] = []
  while (!takeSymbol(reader, '}')) {
    skipAnnotations(reader)
    const token = current(reader)
    const name = takeName(reader)
    expectSymbol(reader, '=')
    params.push(node('param', token, { name }, [takeLiteral(reader)]))
  }
  return params
}

/** Names in it mean what they mean where it stands. */
export function readValue(reader: Reader, type: Readonly<Record<string, string>>, token: Token): RngNode {
  const ns = reader.namespaces.get('')
  return node('value', token, { ...type, ...(ns === undefined ? {} : { ns }) }, [takeLiteral(reader)])
}
