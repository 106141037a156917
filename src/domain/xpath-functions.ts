/** The core function library of XPath 1.0: there are no other functions. */

export type XPathType = 'nodes' | 'string' | 'number' | 'boolean'

export interface Signature {
  readonly gives: XPathType
  readonly least: number
  readonly most: number
  /** Its arguments must be nodes. */
  readonly ofNodes?: boolean
}

/** XPath 1.0, 4. */
export const FUNCTIONS: Readonly<Record<string, Signature>> = {
  last: { gives: 'number', least: 0, most: 0 },
  position: { gives: 'number', least: 0, most: 0 },
  count: { gives: 'number', least: 1, most: 1, ofNodes: true },
  id: { gives: 'nodes', least: 1, most: 1 },
  'local-name': { gives: 'string', least: 0, most: 1, ofNodes: true },
  'namespace-uri': { gives: 'string', least: 0, most: 1, ofNodes: true },
  name: { gives: 'string', least: 0, most: 1, ofNodes: true },
  string: { gives: 'string', least: 0, most: 1 },
  concat: { gives: 'string', least: 2, most: Number.POSITIVE_INFINITY },
  'starts-with': { gives: 'boolean', least: 2, most: 2 },
  contains: { gives: 'boolean', least: 2, most: 2 },
  'substring-before': { gives: 'string', least: 2, most: 2 },
  'substring-after': { gives: 'string', least: 2, most: 2 },
  substring: { gives: 'string', least: 2, most: 3 },
  'string-length': { gives: 'number', least: 0, most: 1 },
  'normalize-space': { gives: 'string', least: 0, most: 1 },
  translate: { gives: 'string', least: 3, most: 3 },
  boolean: { gives: 'boolean', least: 1, most: 1 },
  not: { gives: 'boolean', least: 1, most: 1 },
  true: { gives: 'boolean', least: 0, most: 0 },
  false: { gives: 'boolean', least: 0, most: 0 },
  lang: { gives: 'boolean', least: 1, most: 1 },
  number: { gives: 'number', least: 0, most: 1 },
  sum: { gives: 'number', least: 1, most: 1, ofNodes: true },
  floor: { gives: 'number', least: 1, most: 1 },
  ceiling: { gives: 'number', least: 1, most: 1 },
  round: { gives: 'number', least: 1, most: 1 },
}

/** How many arguments it takes, in words. */
export function arity({ least, most }: Signature): string {
  if (most === Number.POSITIVE_INFINITY) return `${least} arguments or more`
  return least === most ? `${least} arguments` : `${least} to ${most} arguments`
}
