import { shared } from '../../domain/shared-text.ts'

/** A name that a step asks for; undefined: any. */
export interface NameTest {
  readonly uri: string | undefined
  readonly name: string | undefined
}

/**
 * The names that paths ask for, as numbers. All names of documents that no test tells apart are one symbol, so that a
 * document can't make the index grow.
 */
export interface Names {
  /** The number of a test. */
  testOf(test: NameTest): number
  symbolOf(name: string, uri: string): number
  /** The tests that names of this symbol pass. */
  testsOf(symbol: number): readonly number[]
  /** How many symbols there are. */
  size(): number
}

export const ANY_NAME = 0
const OTHER = 0

interface Entry {
  readonly namespace: Namespace
  readonly symbol: number
  readonly next: Entry | undefined
}

/** A namespace name, as it was last seen: comparing a text with itself takes no time, and within a document it mostly is the same. */
interface Namespace {
  seen: string
}

interface Symbol {
  readonly uri: string | undefined
  readonly name: string | undefined
}

export function createNames(): Names {
  let tests = 1
  let hasPartTests = false
  const exactTests: (number | undefined)[] = []
  const uriTests = new Map<string, number>()
  const localTests = new Map<string, number>()
  const symbols: Symbol[] = [{ uri: undefined, name: undefined }]
  const entries = new Map<string, Entry>()
  const namespaces = new Map<string, Namespace>()
  const uriSymbols = new Map<string, number>()
  const localSymbols = new Map<string, number>()

  function exactSymbol(name: string, uri: string): number {
    const first = entries.get(name)
    for (let entry = first; entry !== undefined; entry = entry.next)
      if (entry.namespace.seen === uri) return entry.symbol
    const symbol = symbols.push({ uri, name }) - 1
    // As elements have it: looking it up compares nothing.
    entries.set(shared(name), { namespace: namespaceOf(uri), symbol, next: first })
    return symbol
  }

  function namespaceOf(uri: string): Namespace {
    const namespace = namespaces.get(uri) ?? { seen: uri }
    namespaces.set(uri, namespace)
    return namespace
  }

  /** A name that no test asks for with this namespace; its parts may be asked for by themselves. */
  function partlyKnown(name: string, uri: string): number {
    const isLocal = localTests.has(name)
    if (!uriTests.has(uri)) return isLocal ? memberOf(localSymbols, name, { uri: undefined, name }) : OTHER
    return isLocal ? exactSymbol(name, uri) : memberOf(uriSymbols, uri, { uri, name: undefined })
  }

  function memberOf(known: Map<string, number>, key: string, symbol: Symbol): number {
    const number = known.get(key) ?? symbols.push(symbol) - 1
    known.set(key, number)
    return number
  }

  return {
    testOf({ uri, name }) {
      if (uri === undefined && name === undefined) return ANY_NAME
      if (uri === undefined || name === undefined) hasPartTests = true
      if (uri === undefined) return numberIn(localTests, name!)
      if (name === undefined) return numberIn(uriTests, uri)
      const symbol = exactSymbol(name, uri)
      exactTests[symbol] ??= tests++
      return exactTests[symbol]!
    },
    symbolOf(name, uri) {
      for (let entry = entries.get(name); entry !== undefined; entry = entry.next) {
        if (entry.namespace.seen !== uri) continue
        entry.namespace.seen = uri
        return entry.symbol
      }
      return hasPartTests ? partlyKnown(name, uri) : OTHER
    },
    testsOf(symbol) {
      const { uri, name } = symbols[symbol]!
      const passed: (number | undefined)[] = [ANY_NAME, exactTests[symbol]]
      if (uri !== undefined) passed.push(uriTests.get(uri))
      if (name !== undefined) passed.push(localTests.get(name))
      return passed.filter((test) => test !== undefined)
    },
    size: () => symbols.length,
  }

  function numberIn(known: Map<string, number>, key: string): number {
    const number = known.get(key) ?? tests++
    known.set(key, number)
    return number
  }
}
