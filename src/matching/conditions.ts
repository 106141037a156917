import { jidPattern } from '../domain/jid.ts'
import type { Conditions } from '../domain/route.ts'
import { type Alternative, onAny, onNot } from './groups.ts'
import type { Complain, RouteProblem } from './problem.ts'
import type { Subject } from './subject.ts'
import { compileValueConditions, showText, showValues, valuesOf } from './value.ts'
import type { CompileXPath, XPathAnswer, XPathTest } from './xpath.ts'

/** One condition of a route, compiled. */
export interface Check {
  /** `type`, `from`, `fields.currency`, `headers.Urgency`, `xpath`, `any`, `not`. */
  readonly name: string
  readonly expected: string
  readonly holds: (look: Look) => boolean
  /** What the document has there, in words. */
  readonly found: (look: Look) => string
  /** Why it could not be asked of this document at all; undefined where it could. */
  readonly fault?: (look: Look) => string | undefined
  /** How each group of an `any` or `not` fared. */
  readonly alternatives?: (look: Look) => readonly Alternative[]
}

/** One document while its routes are asked. */
export interface Look {
  readonly subject: Subject
  /** Asks each XPath at most once a document, however many routes have it. */
  readonly xpath: (test: XPathTest) => XPathAnswer
}

/**
 * The conditions of a route in the order in which they are asked: type, version, from, to, node, stanza, mediaType, headers, fields,
 * xpath, then the groups: those of `all` as if they stood in their place, `any`, `not`. What can't be compiled is complained
 * of, and never holds.
 *
 * @param path Where the conditions stand in the route.
 */
export function compileConditions(
  when: Conditions,
  compileXPath: CompileXPath,
  complain: Complain,
  path: RouteProblem['path'] = ['when'],
): readonly Check[] {
  const group = (key: 'all' | 'any' | 'not') =>
    (when[key] ?? []).map((inner, at) => compileConditions(inner, compileXPath, complain, [...path, key, at]))
  return [
    ...(when.type ? [oneOf('type', when.type, ({ type }) => type)] : []),
    ...(when.version ? [oneOf('version', when.version, ({ typeKey }) => typeKey)] : []),
    ...(when.from ? [fromPatterns('from', when.from, ({ origin }) => origin.from, complain, path)] : []),
    ...(when.to ? [fromPatterns('to', when.to, ({ origin }) => origin.to, complain, path)] : []),
    ...(when.node ? [onValues('node', when.node, ({ origin }) => textValues(origin.node))] : []),
    ...(when.stanza ? [oneOf('stanza', when.stanza, ({ origin }) => origin.stanza)] : []),
    ...(when.mediaType ? [onValues('mediaType', when.mediaType, ({ mediaType }) => textValues(mediaType))] : []),
    ...Object.entries(when.headers ?? {}).map(([name, conditions]) =>
      onValues(`headers.${name}`, conditions, ({ origin }) =>
        Object.hasOwn(origin.headers, name) ? [origin.headers[name]!] : [],
      ),
    ),
    ...Object.entries(when.fields ?? {}).map(([name, conditions]) =>
      onValues(`fields.${name}`, conditions, ({ fields }) => valuesOf(fields, name)),
    ),
    ...(when.xpath === undefined ? [] : [onXPath(when.xpath, when.namespaces, compileXPath, complain, path)]),
    ...group('all').flat(),
    ...(when.any ? [onAny(group('any'))] : []),
    ...(when.not ? [onNot(group('not'))] : []),
  ]
}

function textValues(text: string): readonly string[] {
  return text === '' ? [] : [text]
}

function oneOf(name: string, accepted: readonly string[], read: (subject: Subject) => string): Check {
  const set = new Set(accepted)
  return {
    name,
    expected: accepted.join(' or '),
    holds: ({ subject }) => set.has(read(subject)),
    found: ({ subject }) => showText(read(subject)),
  }
}

function fromPatterns(
  name: 'from' | 'to',
  patterns: readonly string[],
  read: (subject: Subject) => string,
  complain: Complain,
  path: RouteProblem['path'],
): Check {
  const tests = patterns.flatMap((pattern, at) => {
    const test = jidPattern(pattern)
    if (test) return [test]
    complain('pattern-invalid', [...path, name, at], `Cannot compare JIDs: ${showText(pattern)} is not a JID pattern`)
    return []
  })
  return {
    name,
    expected: patterns.join(' or '),
    holds: ({ subject }) => {
      const jid = read(subject)
      return tests.some((test) => test(jid))
    },
    found: ({ subject }) => showText(read(subject)),
  }
}

function onValues(
  name: string,
  conditions: Parameters<typeof compileValueConditions>[0],
  read: (subject: Subject) => ReturnType<typeof valuesOf>,
): Check {
  const test = compileValueConditions(conditions)
  return {
    name,
    expected: test.expected,
    holds: ({ subject }) => test.holds(read(subject)),
    found: ({ subject }) => showValues(read(subject)),
  }
}

function onXPath(
  expression: string,
  namespaces: Readonly<Record<string, string>>,
  compileXPath: CompileXPath,
  complain: Complain,
  path: RouteProblem['path'],
): Check {
  const compiled = compileXPath(expression, namespaces)
  if (compiled.kind === 'error') {
    complain('xpath-invalid', [...path, 'xpath'], compiled.message)
    return { name: 'xpath', expected: expression, holds: () => false, found: () => 'an error' }
  }
  return {
    name: 'xpath',
    expected: expression,
    holds: (look) => look.xpath(compiled.test).kind === 'true',
    found: (look) => describe(look.xpath(compiled.test)),
    fault: (look) => {
      const answer = look.xpath(compiled.test)
      return answer.kind === 'failed' ? answer.message : undefined
    },
  }
}

function describe(answer: XPathAnswer): string {
  switch (answer.kind) {
    case 'true':
    case 'false':
      return answer.kind
    case 'not-xml':
      return 'content that is not XML'
    case 'failed':
      return `it could not be evaluated: ${showText(answer.message)}`
  }
}
