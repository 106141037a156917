import type { SchemaSource } from '../../domain/document-type.ts'
import { attributeOf, childElements, type Element, isElement } from '../../domain/element.ts'
import type { Finding } from '../../domain/rejection.ts'
import type { BundleReader } from '../bundle-reader.ts'
import type { SchemaProblem } from '../schema-files.ts'
import { concretePatterns } from './abstract.ts'
import type { Check, Let, Message, MessagePart, Pattern, Rule, RuleSet } from './rules-model.ts'
import { named, type Reading, readSchemaTree, SCHEMATRON } from './schema-tree.ts'

/**
 * Reads a Schematron schema with all its files. What it holds and we don't know is an error: a rule that isn't understood
 * would never fire, and its documents would pass.
 *
 * @param phase `#ALL`, `#DEFAULT` or the id of a phase
 */
export function readRules(
  source: SchemaSource,
  phase: string,
  bundle?: BundleReader,
): { readonly rules: RuleSet | undefined; readonly problems: readonly SchemaProblem[] } {
  const tree = readSchemaTree(source, bundle)
  const { root, problems } = tree
  if (!root || problems.length > 0) return { rules: undefined, problems }
  const complain = (element: Element, message: string) => {
    problems.push({ message: `Cannot read the schema: ${message}`, severity: 'error', at: tree.at(element) })
  }
  if (root.uri !== SCHEMATRON || root.name !== 'schema') {
    complain(root, `it is no ISO Schematron: its root is {${root.uri}}${root.name}`)
    return { rules: undefined, problems }
  }
  const rules = readSchema({ tree, root, complain }, phase)
  if (problems.length === 0 && rules.patterns.every((pattern) => pattern.rules.every(isEmpty))) {
    complain(root, 'it accepts everything: no rule of it checks anything')
  }
  return { rules: problems.some(({ severity }) => severity === 'error') ? undefined : rules, problems }
}

function isEmpty({ checks }: Rule): boolean {
  return checks.length === 0
}

const TOP: readonly string[] = [
  'title',
  'ns',
  'p',
  'let',
  'param',
  'phase',
  'pattern',
  'rules',
  'diagnostics',
  'properties',
]

function readSchema(reading: Reading, phase: string): RuleSet {
  const { root, complain } = reading
  for (const child of childElements(root)) {
    if (child.uri === SCHEMATRON && !TOP.includes(child.name)) complain(child, `<${child.name}> is not known here`)
    if (child.uri === 'http://www.w3.org/1999/XSL/Transform') {
      complain(child, `<xsl:${child.name}> needs XSLT, which is not there: rules are evaluated by XPath alone`)
    }
  }
  const chosen = choosePhase(reading, phase)
  const patterns = concretePatterns(reading).filter((pattern) => chosen.isActive(attributeOf(pattern, 'id') ?? ''))
  return {
    queryBinding: attributeOf(root, 'queryBinding') ?? '',
    namespaces: namespacesOf(root),
    lets: [...letsOf(root, reading), ...(chosen.phase ? letsOf(chosen.phase, reading) : [])],
    patterns: patterns.map((pattern) => readPattern(pattern, reading)),
  }
}

function namespacesOf(root: Element): Readonly<Record<string, string>> {
  const declared = named(root, 'ns').map((ns) => [attributeOf(ns, 'prefix') ?? '', attributeOf(ns, 'uri') ?? ''])
  return Object.fromEntries(declared)
}

// ------------------------------------------------------------------------------------------------------ phases

interface Phase {
  readonly phase: Element | undefined
  isActive(pattern: string): boolean
}

/** ISO/IEC 19757-3, 5.4.10: `#ALL` is all patterns, `#DEFAULT` what the schema names. */
function choosePhase({ root, complain }: Reading, wanted: string): Phase {
  const all: Phase = { phase: undefined, isActive: () => true }
  const name = wanted === '#DEFAULT' ? (attributeOf(root, 'defaultPhase') ?? '#ALL') : wanted
  if (name === '#ALL') return all
  const phases = named(root, 'phase')
  const phase = phases.find((one) => attributeOf(one, 'id') === name)
  if (!phase) {
    const known = phases.map((one) => attributeOf(one, 'id')).join(', ')
    complain(root, `there is no phase ${name} (known: ${known === '' ? 'none' : known})`)
    return all
  }
  const active = named(phase, 'active').map((one) => attributeOf(one, 'pattern') ?? '')
  const patterns = named(root, 'pattern').map((one) => attributeOf(one, 'id'))
  for (const id of active.filter((one) => !patterns.includes(one))) complain(phase, `there is no pattern ${id}`)
  return { phase, isActive: (pattern) => active.includes(pattern) }
}

// ---------------------------------------------------------------------------------------------------- patterns

function readPattern(pattern: Element, reading: Reading): Pattern {
  const { tree, complain } = reading
  for (const child of childElements(pattern)) {
    if (child.uri === SCHEMATRON && !['title', 'p', 'let', 'rule', 'param'].includes(child.name)) {
      complain(child, `<${child.name}> is not known in a pattern`)
    }
  }
  if (attributeOf(pattern, 'documents') !== undefined) {
    complain(pattern, 'documents names other documents: only the one that came is looked at')
  }
  const rules = named(pattern, 'rule').filter((rule) => attributeOf(rule, 'abstract') !== 'true')
  return {
    id: attributeOf(pattern, 'id') ?? '',
    at: tree.at(pattern),
    lets: letsOf(pattern, reading),
    rules: rules.map((rule) => readRule(rule, reading)),
  }
}

function letsOf(parent: Element, { tree, complain }: Reading): readonly Let[] {
  return named(parent, 'let').map((one): Let => {
    const select = attributeOf(one, 'value') ?? ''
    const name = attributeOf(one, 'name') ?? ''
    if (name === '') complain(one, 'a let needs a name')
    if (select === '') complain(one, `the variable $${name} needs a value: content of its own is not understood`)
    return { name, select, at: tree.at(one) }
  })
}

function readRule(rule: Element, reading: Reading): Rule {
  const { tree, complain } = reading
  const context = attributeOf(rule, 'context') ?? ''
  if (context === '') complain(rule, 'a rule needs a context')
  for (const child of childElements(rule)) {
    if (child.uri === SCHEMATRON && !['let', 'assert', 'report', 'p', 'title'].includes(child.name)) {
      complain(child, `<${child.name}> is not known in a rule`)
    }
  }
  const checks = childElements(rule).filter(({ uri, name }) => {
    return uri === SCHEMATRON && (name === 'assert' || name === 'report')
  })
  return {
    context,
    at: tree.at(rule),
    lets: letsOf(rule, reading),
    checks: checks.map((check) => readCheck(check, rule, reading)),
  }
}

function readCheck(check: Element, rule: Element, reading: Reading): Check {
  const { tree, root, complain } = reading
  const test = attributeOf(check, 'test') ?? ''
  if (test === '') complain(check, `an ${check.name} needs a test`)
  const flag = attributeOf(check, 'flag') ?? attributeOf(rule, 'flag') ?? ''
  const role = attributeOf(check, 'role') ?? attributeOf(rule, 'role') ?? ''
  return {
    kind: check.name === 'assert' ? 'assert' : 'report',
    id: attributeOf(check, 'id') ?? '',
    at: tree.at(check),
    test,
    flag: flag === '' ? role : flag,
    severity: severityOf(flag) ?? severityOf(role) ?? 'error',
    message: messageOf(check, reading),
    diagnostics: diagnosticsOf(check, { tree, root, complain }),
    subject: attributeOf(check, 'subject') ?? attributeOf(rule, 'subject') ?? '',
    see: attributeOf(check, 'see') ?? attributeOf(rule, 'see') ?? '',
  }
}

/** The words in use; any other says nothing about how bad it is, so that it is an error. */
const SEVERITIES: Readonly<Record<string, Finding['severity']>> = {
  fatal: 'error',
  error: 'error',
  warning: 'warning',
  warn: 'warning',
  information: 'information',
  info: 'information',
}

function severityOf(word: string): Finding['severity'] | undefined {
  const known = word.toLowerCase()
  return Object.hasOwn(SEVERITIES, known) ? SEVERITIES[known] : undefined
}

// ---------------------------------------------------------------------------------------------------- messages

function diagnosticsOf(check: Element, reading: Reading): readonly Message[] {
  const wanted = (attributeOf(check, 'diagnostics') ?? '').split(/\s+/).filter((id) => id !== '')
  const known = named(reading.root, 'diagnostics').flatMap((group) => named(group, 'diagnostic'))
  return wanted.flatMap((id) => {
    const found = known.find((one) => attributeOf(one, 'id') === id)
    if (!found) reading.complain(check, `there is no diagnostic ${id}`)
    return found ? [messageOf(found, reading)] : []
  })
}

function messageOf(element: Element, reading: Reading): Message {
  return element.children.flatMap((child): MessagePart[] => {
    if (!isElement(child)) return [{ kind: 'text', text: child }]
    const at = reading.tree.at(child)
    if (child.uri === SCHEMATRON && child.name === 'value-of') {
      const select = attributeOf(child, 'select') ?? ''
      if (select === '') reading.complain(child, 'value-of needs a select')
      return [{ kind: 'value', select, at }]
    }
    if (child.uri === SCHEMATRON && child.name === 'name') {
      return [{ kind: 'name', path: attributeOf(child, 'path') ?? '', at }]
    }
    // `emph`, `span`, `dir`, and markup of others: their words count.
    return [...messageOf(child, reading)]
  })
}
