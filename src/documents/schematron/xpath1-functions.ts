import { parentOf, stringOf, type TreeNode } from './tree.ts'
import { nodesOf, numberFrom, type Point, stringFrom, truthOf, type Value } from './xpath1-values.ts'

type Given = readonly Value[]

/** XPath 1.0, 4. Names and numbers of arguments were checked when the expression was read. */
export function callFunction(name: string, given: Given, point: Point): Value {
  return aboutNodes(name, given, point) ?? aboutStrings(name, given, point) ?? aboutNumbers(name, given, point)
}

function aboutNodes(name: string, given: Given, point: Point): Value | undefined {
  switch (name) {
    case 'last':
      return point.size
    case 'position':
      return point.position
    case 'count':
      return nodesOf(given[0]!).length
    case 'id':
      // Without a DTD no attribute is an ID.
      return []
    case 'local-name':
      return named(given, point, (node) => node.localName)
    case 'namespace-uri':
      return named(given, point, (node) => node.namespaceURI ?? '')
    case 'name':
      return named(given, point, (node) => node.nodeName)
    default:
      return undefined
  }
}

type Named = Extract<TreeNode, { readonly localName: string }>

function named([nodes]: Given, { node }: Point, read: (node: Named) => string): string {
  const [first] = nodes === undefined ? [node] : nodesOf(nodes)
  return first && (first.nodeType === 1 || first.nodeType === 2) ? read(first) : ''
}

function aboutStrings(name: string, given: Given, point: Point): Value | undefined {
  const text = (at: number): string => stringFrom(given[at] ?? [point.node])
  switch (name) {
    case 'string':
      return text(0)
    case 'concat':
      return given.map(stringFrom).join('')
    case 'starts-with':
      return text(0).startsWith(text(1))
    case 'contains':
      return text(0).includes(text(1))
    case 'substring-before':
      return text(0).slice(0, Math.max(0, text(0).indexOf(text(1))))
    case 'substring-after': {
      const at = text(0).indexOf(text(1))
      return at < 0 ? '' : text(0).slice(at + text(1).length)
    }
    case 'substring':
      return substring(text(0), numberFrom(given[1]!), given[2] === undefined ? undefined : numberFrom(given[2]))
    case 'string-length':
      return [...text(0)].length
    case 'normalize-space':
      return text(0)
        .split(/[ \t\r\n]+/)
        .filter((word) => word !== '')
        .join(' ')
    case 'translate':
      return translate(text(0), text(1), text(2))
    case 'lang':
      return isInLanguage(point.node, text(0))
    default:
      return undefined
  }
}

/** XPath 1.0, 4.2: positions are rounded, count characters and begin with 1; NaN is nowhere. */
function substring(text: string, from: number, length: number | undefined): string {
  const first = round(from)
  const end = length === undefined ? Number.POSITIVE_INFINITY : first + round(length)
  return [...text].filter((_, at) => at + 1 >= first && at + 1 < end).join('')
}

function translate(text: string, from: string, to: string): string {
  const wanted = [...from]
  const instead = [...to]
  return [...text].map((one) => (wanted.includes(one) ? (instead[wanted.indexOf(one)] ?? '') : one)).join('')
}

function isInLanguage(node: TreeNode, wanted: string): boolean {
  for (let at: TreeNode | null = node; at !== null; at = parentOf(at)) {
    const language = at.nodeType === 1 ? at.attributes.find(({ nodeName }) => nodeName === 'xml:lang') : undefined
    if (!language) continue
    const [found, asked] = [language.value.toLowerCase(), wanted.toLowerCase()]
    return found === asked || found.startsWith(`${asked}-`)
  }
  return false
}

function aboutNumbers(name: string, given: Given, point: Point): Value {
  const number = (): number => numberFrom(given[0] ?? [point.node])
  switch (name) {
    case 'boolean':
      return truthOf(given[0]!)
    case 'not':
      return !truthOf(given[0]!)
    case 'true':
      return true
    case 'false':
      return false
    case 'number':
      return number()
    case 'sum':
      return nodesOf(given[0]!).reduce((total, node) => total + numberFrom(stringOf(node)), 0)
    case 'floor':
      return Math.floor(number())
    case 'ceiling':
      return Math.ceil(number())
    case 'round':
      return round(number())
    default:
      throw new Error(`Cannot call ${name}(): it is no function of XPath 1.0`)
  }
}

/** Halves go up, as in JavaScript. */
function round(value: number): number {
  return Math.round(value)
}
