import { parseJidPattern } from '../../domain/jid.ts'
import type { Conditions, Operator, ValueCondition } from '../../domain/route.ts'
import type { Complain, RouteProblem } from '../problem.ts'
import { showText } from '../value.ts'
import {
  type Atoms,
  CONTAINS,
  COUNT,
  DIFFERS,
  EQUAL,
  EXISTS,
  FAILS,
  HOLDS,
  JID,
  PREFIX,
  SPAN,
  SUFFIX,
  type Term,
  WITHIN,
  XPATH,
} from './atoms.ts'
import type { Constant, Constants } from './constants.ts'
import { nextDown, nextUp } from './doubles.ts'
import type { Expressions } from './expressions.ts'
import type { Operand } from './operands.ts'
import type { Paths } from './paths.ts'
import type { Sources } from './sources.ts'
import type { Terms } from './terms.ts'
import type { PathTest, XPathTests } from './xpath-tests.ts'

export interface TermNeeds {
  readonly atoms: Atoms
  readonly constants: Constants
  readonly terms: Terms
  readonly paths: Paths
  readonly sources: Sources
  readonly expressions: Expressions
}

type Path = RouteProblem['path']

/**
 * A route's conditions as one term. What can't be compiled is complained of, and the term is then of no use but to be released.
 *
 * @param path Where the conditions stand in the route.
 */
export function termOf(when: Conditions, needs: TermNeeds, complain: Complain, path: Path = ['when']): Term {
  return groupTerm(when, true, needs, complain, path)
}

/** @param sense False for the opposite: negation is carried down to the atoms. */
function groupTerm(when: Conditions, sense: boolean, needs: TermNeeds, complain: Complain, path: Path): Term {
  const { sources } = needs
  const parts: Term[] = []
  if (when.type) parts.push(oneOf(sources.type(), when.type, sense, needs))
  if (when.version) parts.push(oneOf(sources.version(), when.version, sense, needs))
  if (when.from) parts.push(jids('from', when.from, sense, needs, complain, path))
  if (when.to) parts.push(jids('to', when.to, sense, needs, complain, path))
  if (when.node) parts.push(valueTerm(sources.node(), when.node, sense, needs))
  if (when.stanza) parts.push(oneOf(sources.stanza(), when.stanza, sense, needs))
  if (when.mediaType) parts.push(valueTerm(sources.mediaType(), when.mediaType, sense, needs))
  for (const name in when.headers) parts.push(valueTerm(sources.header(name), when.headers[name]!, sense, needs))
  for (const name in when.fields) parts.push(valueTerm(sources.field(name), when.fields[name]!, sense, needs))
  if (when.xpath !== undefined) addXPath(when.xpath, when.namespaces, sense, parts, needs, complain, path)
  when.all?.forEach((group, at) => {
    parts.push(groupTerm(group, sense, needs, complain, [...path, 'all', at]))
  })
  if (when.any) {
    const groups = when.any.map((group, at) => groupTerm(group, sense, needs, complain, [...path, 'any', at]))
    parts.push(join(groups, !sense, needs))
  }
  when.not?.forEach((group, at) => {
    parts.push(groupTerm(group, !sense, needs, complain, [...path, 'not', at]))
  })
  return join(parts, sense, needs)
}

function join(parts: readonly Term[], isAll: boolean, { terms }: TermNeeds): Term {
  if (parts.length === 1) return parts[0]!
  return isAll ? terms.all(parts) : terms.any(parts)
}

// --------------------------------------------------------------------------------------------------------- values

function oneOf(operand: Operand, accepted: readonly string[], sense: boolean, needs: TermNeeds): Term {
  if (accepted.length === 1) return equal(operand, accepted[0]!, sense, needs)
  return join(
    accepted.map((text) => equal(operand, text, sense, needs)),
    !sense,
    needs,
  )
}

function valueTerm(operand: Operand, conditions: readonly ValueCondition[], sense: boolean, needs: TermNeeds): Term {
  if (conditions.length === 1) return conditionTerm(operand, conditions[0]!, sense, needs)
  return join(
    conditions.map((condition) => conditionTerm(operand, condition, sense, needs)),
    !sense,
    needs,
  )
}

function conditionTerm(operand: Operand, condition: ValueCondition, sense: boolean, needs: TermNeeds): Term {
  switch (condition.kind) {
    case 'is':
      return equal(
        operand,
        typeof condition.value === 'boolean' ? String(condition.value) : condition.value,
        sense,
        needs,
      )
    case 'prefix':
      return textTerm(PREFIX, operand, condition.text, sense, needs)
    case 'suffix':
      return textTerm(SUFFIX, operand, condition.text, sense, needs)
    case 'contains':
      return textTerm(CONTAINS, operand, condition.text, sense, needs)
    case 'compare':
      return withinBounds(operand, condition.bounds, sense, needs)
    case 'exists':
      return atom(EXISTS, operand, 0, 0, sense === condition.expected, needs)
    case 'not':
      return valueTerm(operand, condition.conditions, !sense, needs)
  }
}

function withinBounds(
  operand: Operand,
  bounds: readonly { readonly operator: Operator; readonly bound: number }[],
  sense: boolean,
  needs: TermNeeds,
): Term {
  let low = Number.NEGATIVE_INFINITY
  let high = Number.POSITIVE_INFINITY
  for (const { operator, bound } of bounds) {
    if (Number.isNaN(bound)) return sense ? FAILS : HOLDS
    if (operator === '>' || operator === '>=') low = Math.max(low, operator === '>' ? nextUp(bound) : bound)
    else high = Math.min(high, operator === '<' ? nextDown(bound) : bound)
  }
  return within(operand, low, high, sense, needs)
}

function within(operand: Operand, low: number, high: number, sense: boolean, needs: TermNeeds): Term {
  // Infinity is no number that a value reads as, so that `> 1.8e308` ends up here, too.
  if (low > high) return sense ? FAILS : HOLDS
  return atom(WITHIN, operand, low, high, sense, needs)
}

function equal(operand: Operand, constant: Constant, sense: boolean, needs: TermNeeds): Term {
  if (typeof constant === 'number' && Number.isNaN(constant)) return sense ? FAILS : HOLDS
  if (isLastEqual(operand, constant, needs)) needs.atoms.share(operand.lastEqual)
  else operand.lastEqual = needs.atoms.take(EQUAL, operand, needs.constants.take(constant), 0)
  return operand.lastEqual * 2 + (sense ? 0 : 1)
}

function isLastEqual({ id, lastEqual }: Operand, constant: Constant, { atoms, constants }: TermNeeds): boolean {
  if (lastEqual < 0 || atoms.kind[lastEqual] !== EQUAL || atoms.operand[lastEqual] !== id) return false
  return constants.at(atoms.first[lastEqual]!) === constant
}

function textTerm(kind: number, operand: Operand, text: string, sense: boolean, needs: TermNeeds): Term {
  return atom(kind, operand, needs.constants.take(text), 0, sense, needs)
}

function atom(
  kind: number,
  operand: Operand | undefined,
  first: number,
  second: number,
  sense: boolean,
  { atoms }: TermNeeds,
): Term {
  return atoms.take(kind, operand, first, second) * 2 + (sense ? 0 : 1)
}

// ----------------------------------------------------------------------------------------------------------- JIDs

function jids(
  name: 'from' | 'to',
  patterns: readonly string[],
  sense: boolean,
  needs: TermNeeds,
  complain: Complain,
  path: Path,
): Term {
  const parts = patterns.flatMap((pattern, at) => {
    const term = jidTerm(name, pattern, sense, needs)
    if (term !== undefined) return [term]
    complain('pattern-invalid', [...path, name, at], `Cannot compare JIDs: ${showText(pattern)} is not a JID pattern`)
    return []
  })
  return join(parts, !sense, needs)
}

/**
 * A pattern as what can be looked up: the whole bare JID, or the domain, or the end of the domain. What then isn't certain is
 * left to the pattern itself.
 */
function jidTerm(name: 'from' | 'to', pattern: string, sense: boolean, needs: TermNeeds): Term | undefined {
  const parsed = parseJidPattern(pattern)
  if (!parsed) return undefined
  const { local, domain, resource } = parsed
  const { sources } = needs
  const of = (part: 'bare' | 'local' | 'domain' | 'userDomain' | 'whole') => sources.jid(name, part)
  const hasStar = (part: string) => part.includes('*')
  if (!hasStar(local) && !hasStar(domain) && resource === undefined) {
    return equal(of('bare'), local === '' ? domain : `${local}@${domain}`, sense, needs)
  }
  if (local === '*' && !hasStar(domain) && resource === undefined) return equal(of('userDomain'), domain, sense, needs)
  const parts = [textTerm(JID, of('whole'), pattern, sense, needs)]
  if (!hasStar(local) && !hasStar(domain)) {
    parts.push(equal(of('bare'), local === '' ? domain : `${local}@${domain}`, sense, needs))
  } else if (!hasStar(domain)) parts.push(equal(of('domain'), domain, sense, needs))
  else if (!hasStar(local) && local !== '') parts.push(equal(of('local'), local, sense, needs))
  else if (!domain.endsWith('*')) {
    parts.push(textTerm(SUFFIX, of('domain'), domain.slice(domain.lastIndexOf('*') + 1), sense, needs))
  }
  return join(parts, sense, needs)
}

// ---------------------------------------------------------------------------------------------------------- XPath

/** @param parts What the terms come to: a conjunction, or its opposite. */
function addXPath(
  expression: string,
  namespaces: Readonly<Record<string, string>>,
  sense: boolean,
  parts: Term[],
  needs: TermNeeds,
  complain: Complain,
  path: Path,
): void {
  const read = needs.expressions.read(expression, namespaces)
  if (read.kind === 'error') {
    complain('xpath-invalid', [...path, 'xpath'], read.message)
    return
  }
  parts.push(equal(needs.sources.content(), 'xml', sense, needs))
  addTests(read.tests, sense, parts, needs)
  if (read.kind === 'asked') parts.push(atom(XPATH, undefined, read.id, 0, sense, needs))
}

function addTests(tests: XPathTests, sense: boolean, parts: Term[], needs: TermNeeds): void {
  if (tests.kind === 'all') for (const part of tests.parts) addTests(part, sense, parts, needs)
  else parts.push(testsTerm(tests, sense, needs))
}

function testsTerm(tests: XPathTests, sense: boolean, needs: TermNeeds): Term {
  switch (tests.kind) {
    case 'constant':
      return tests.holds === sense ? HOLDS : FAILS
    case 'not':
      return testsTerm(tests.part, !sense, needs)
    case 'all': {
      const parts: Term[] = []
      addTests(tests, sense, parts, needs)
      return join(parts, sense, needs)
    }
    case 'any':
      return join(
        tests.parts.map((part) => testsTerm(part, sense, needs)),
        !sense,
        needs,
      )
    case 'path':
      return pathTerm(needs.paths.operandOf(tests.path), tests.test, sense, needs)
  }
}

function pathTerm(operand: Operand, test: PathTest, sense: boolean, needs: TermNeeds): Term {
  switch (test.kind) {
    case 'exists':
      return atom(EXISTS, operand, 0, 0, sense, needs)
    case 'equal':
      return equal(operand, test.constant, sense, needs)
    case 'differs':
      return atom(DIFFERS, operand, needs.constants.take(test.constant), 0, sense, needs)
    case 'within':
      return within(operand, test.low, test.high, sense, needs)
    case 'span':
      return atom(SPAN, operand, test.low, test.high, sense, needs)
    case 'count':
      return atom(COUNT, operand, test.low, test.high, sense, needs)
    case 'prefix':
      return textTerm(PREFIX, operand, test.text, sense, needs)
    case 'contains':
      return textTerm(CONTAINS, operand, test.text, sense, needs)
  }
}
