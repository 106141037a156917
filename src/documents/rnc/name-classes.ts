import {
  current,
  expectSymbol,
  namespaceFor,
  type Reader,
  skipAnnotations,
  skipFollowing,
  take,
  takeSymbol,
  unexpected,
} from './reader.ts'
import { node, type RngNode } from './rng.ts'

/** C.1 `nameClass`. Names without a prefix are in the default namespace, of attributes in none. */
export function readNameClass(reader: Reader, of: 'element' | 'attribute'): RngNode {
  const place = current(reader)
  const parts = [readOne(reader, of)]
  while (takeSymbol(reader, '|')) parts.push(readOne(reader, of))
  return parts.length === 1 ? parts[0]! : node('choice', place, {}, parts)
}

function readOne(reader: Reader, of: 'element' | 'attribute'): RngNode {
  skipAnnotations(reader)
  const token = current(reader)
  const read = readPlain(reader, of)
  const isOpen = read.name === 'anyName' || read.name === 'nsName'
  const except = isOpen && takeSymbol(reader, '-') ? [node('except', token, {}, [readOne(reader, of)])] : []
  skipFollowing(reader)
  return { ...read, children: [...read.children, ...except] }
}

function readPlain(reader: Reader, of: 'element' | 'attribute'): RngNode {
  const token = take(reader)
  switch (token.kind) {
    case 'name':
    case 'quoted': {
      const ns = of === 'attribute' ? '' : namespaceFor(reader, '', token)
      return node('name', token, ns === undefined ? {} : { ns }, [token.text])
    }
    case 'prefixed': {
      const [prefix = '', name = ''] = token.text.split(':')
      return node('name', token, withNamespace(namespaceFor(reader, prefix, token)), [name])
    }
    case 'prefix':
      return node('nsName', token, withNamespace(namespaceFor(reader, token.text, token)))
    case 'symbol':
      if (token.text === '*') return node('anyName', token)
      if (token.text !== '(') break
      return inParentheses(reader, of)
    default:
  }
  reader.at -= 1
  throw unexpected(reader, 'a name')
}

function inParentheses(reader: Reader, of: 'element' | 'attribute'): RngNode {
  const inner = readNameClass(reader, of)
  expectSymbol(reader, ')')
  return inner.name === 'choice' ? inner : node('choice', inner, {}, [inner])
}

function withNamespace(ns: string | undefined): Readonly<Record<string, string>> {
  return ns === undefined ? {} : { ns }
}
