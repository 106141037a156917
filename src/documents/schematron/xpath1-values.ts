import { toNumber } from '../../domain/location-path.ts'
import { stringOf, type TreeNode } from './tree.ts'

/** Nodes stand in document order. */
export type Value = readonly TreeNode[] | string | number | boolean

/** Where an expression is asked (XPath 1.0, 1). */
export interface Point {
  readonly node: TreeNode
  /** From 1. */
  readonly position: number
  readonly size: number
  readonly namespaces: Readonly<Record<string, string>>
  valueNamed(variable: string): Value
}

/** XPath 1.0, 4.3. */
export function truthOf(value: Value): boolean {
  if (typeof value === 'object') return value.length > 0
  if (typeof value === 'number') return value !== 0 && !Number.isNaN(value)
  return typeof value === 'string' ? value !== '' : value
}

/** XPath 1.0, 4.4. */
export function numberFrom(value: Value): number {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  return toNumber(stringFrom(value))
}

/** XPath 1.0, 4.2: of nodes the first one's; numbers without an exponent. */
export function stringFrom(value: Value): string {
  if (typeof value === 'string') return value
  if (typeof value === 'object') return value.length === 0 ? '' : stringOf(value[0]!)
  if (typeof value === 'boolean') return String(value)
  // 15 digits are what a double holds for sure, and what libxml2 writes: 0.1 + 0.2 is 0.3.
  return Object.is(value, -0) ? '0' : withoutExponent(String(Number(value.toPrecision(15))))
}

function withoutExponent(text: string): string {
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text)
  if (!match) return text
  const [, sign, first, rest = '', exponent] = match
  const digits = first! + rest
  const point = 1 + Number(exponent)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return (
    sign + (point >= digits.length ? digits.padEnd(point, '0') : `${digits.slice(0, point)}.${digits.slice(point)}`)
  )
}

/** Types are checked before: what isn't nodes is never asked for them. */
export function nodesOf(value: Value): readonly TreeNode[] {
  return typeof value === 'object' ? value : []
}
