import type { Conditions, Literal, Operator, ValueCondition } from '../domain/route.ts'
import type { Condition, Group, Conditions as WrittenConditions } from './kinds.ts'
import type { Complain, Path } from './problem.ts'

/**
 * The conditions of a group without the groups in it; `namespaces` are those of its types and of the route together.
 *
 * @param path Where the group stands in the route.
 */
export function readConditions(
  group: Group,
  namespaces: Readonly<Record<string, string>>,
  path: Path,
  complain: Complain,
): Conditions {
  const { type, from, to, stanza, node, mediaType, headers, fields, xpath } = group
  const values = (written: WrittenConditions, below: Path) =>
    readValueConditions(written, [...path, ...below], complain)
  const record = (written: Readonly<Record<string, WrittenConditions>>, key: string) =>
    Object.fromEntries(Object.entries(written).map(([name, one]) => [name, values(one, [key, name])]))
  return {
    ...(type === undefined ? {} : { type: listOf(type) }),
    ...(from === undefined ? {} : { from: listOf(from) }),
    ...(to === undefined ? {} : { to: listOf(to) }),
    ...(node === undefined ? {} : { node: values(node, ['node']) }),
    ...(stanza === undefined ? {} : { stanza: listOf(stanza) }),
    ...(mediaType === undefined ? {} : { mediaType: values(mediaType, ['mediaType']) }),
    ...(headers === undefined ? {} : { headers: record(headers, 'headers') }),
    ...(fields === undefined ? {} : { fields: record(fields, 'fields') }),
    ...(xpath === undefined ? {} : { xpath }),
    namespaces,
  }
}

export function listOf<Item>(value: Item | readonly Item[]): readonly Item[] {
  return Array.isArray(value) ? value : [value as Item]
}

function readValueConditions(written: WrittenConditions, path: Path, complain: Complain): readonly ValueCondition[] {
  if (!Array.isArray(written)) return [readCondition(written, path, complain)]
  return written.map((one, at) => readCondition(one, [...path, at], complain))
}

type Mapping = Exclude<Condition, Literal>

function readCondition(written: Condition, path: Path, complain: Complain): ValueCondition {
  if (written === null || typeof written !== 'object') return { kind: 'is', value: written }
  complainOfMixture(written, path, complain)
  if (written.prefix !== undefined) return { kind: 'prefix', text: written.prefix }
  if (written.suffix !== undefined) return { kind: 'suffix', text: written.suffix }
  if (written.contains !== undefined) return { kind: 'contains', text: written.contains }
  if (written.exists !== undefined) return { kind: 'exists', expected: written.exists }
  if (written.not !== undefined) {
    return { kind: 'not', conditions: readValueConditions(written.not, [...path, 'not'], complain) }
  }
  return readBounds(written, path, complain)
}

const OPERATORS: readonly Operator[] = ['<', '<=', '>', '>=']

function complainOfMixture(written: Mapping, path: Path, complain: Complain): void {
  const kinds = Object.keys(written).filter((key) => !OPERATORS.includes(key as Operator))
  const bounds = Object.keys(written).length - kinds.length
  if (kinds.length + Math.min(bounds, 1) <= 1) return
  const message = `One condition has ${Object.keys(written).join(', ')}: only bounds can stand together; a list of conditions is an OR`
  complain('condition-mixed', path, message)
}

function readBounds(written: Mapping, path: Path, complain: Complain): ValueCondition {
  const bounds = OPERATORS.flatMap((operator) => {
    const bound = written[operator]
    return bound === undefined ? [] : [{ operator, bound }]
  })
  const low = Math.max(...bounds.filter(({ operator }) => operator.startsWith('>')).map(({ bound }) => bound))
  const high = Math.min(...bounds.filter(({ operator }) => operator.startsWith('<')).map(({ bound }) => bound))
  const strict = bounds.some(({ operator, bound }) => operator.length === 1 && (bound === low || bound === high))
  if (low > high || (low === high && strict)) {
    const words = bounds.map(({ operator, bound }) => `${operator} ${bound}`).join(' and ')
    complain('condition-impossible', path, `No number is ${words}`)
  }
  return { kind: 'compare', bounds }
}
