/**
 * What the generated documents are made of: a trade document of about 55 bytes an element, as UBL and ISO 20022 have it, with ten
 * leaves in its head and the others in groups of eight within sections.
 *
 * @typedef {{ descendant: boolean, uri: string, name: string }} PathStep name '*' is any element
 * @typedef {{ at: number, xpath: string, steps: readonly PathStep[] }} Path
 * @typedef {'id' | 'code' | 'amount' | 'name'} Kind
 * @typedef {Path & { kind: Kind, tag: string, field?: string }} Leaf `field`: under which name the type reads it
 * @typedef {{ open: string, close: string, leaves: Leaf[] }} Group
 * @typedef {{ head: Leaf[], groups: Group[], leaves: Leaf[] }} Vocabulary `leaves`: of the head and of all groups, in that order
 */

export const NAMESPACES = { t: 'urn:example:trade:2', a: 'urn:example:aggregate:2', b: 'urn:example:basic:2' }
export const ROOT = 'Trade'

const HEAD = /** @type {const} */ ([
  ['Number', 'id'],
  ['CurrencyCode', 'code'],
  ['TotalAmount', 'amount'],
  ['BuyerName', 'name'],
  ['SellerId', 'id'],
  ['CountryCode', 'code'],
  ['BaseAmount', 'amount'],
  ['ContractId', 'id'],
  ['StatusCode', 'code'],
  ['ContactName', 'name'],
])
/** @type {readonly Kind[]} */
const KINDS = ['id', 'code', 'amount', 'name', 'id', 'code', 'amount', 'name']
const GROUPS_IN_A_SECTION = 8
const SUFFIX = { id: 'Id', code: 'Code', amount: 'Amount', name: 'Name' }
const FIRST = 'Planned Actual Latest Billing Delivery Payment Customs Carrier Warehouse Return Contract Price'.split(
  ' ',
)
const SECOND = 'Party Period Terms Means Reference Line Allowance Charge Location Transport Package Item'.split(' ')
const THIRD = 'Main Other Origin Target Former Next Parent Child Gross Net Local Foreign'.split(' ')

/**
 * @param {number} count of distinct paths to leaves, at least; a multiple of eight and ten for the head
 * @returns {Vocabulary}
 */
export function makeVocabulary(count) {
  const root = { descendant: false, uri: NAMESPACES.t, name: ROOT }
  const head = HEAD.map(([name, kind], at) => ({ ...leafOf(at, [root], name, kind), field: `head${at}` }))
  const groups = []
  let at = head.length
  for (let number = 0; at < count; number += 1) {
    const section = words(Math.floor(number / GROUPS_IN_A_SECTION), FIRST, THIRD)
    const name = words(number, SECOND, FIRST)
    const above = [root, ...[section, name].map((each) => ({ descendant: false, uri: NAMESPACES.a, name: each }))]
    const leaves = KINDS.map((kind, index) => leafOf(at + index, above, leafName(number, index, kind), kind))
    at += leaves.length
    groups.push({ open: `<a:${section}><a:${name}>`, close: `</a:${name}></a:${section}>`, leaves })
  }
  return { head, groups, leaves: [...head, ...groups.flatMap(({ leaves }) => leaves)] }
}

/**
 * @param {number} number
 * @param {readonly string[]} first
 * @param {readonly string[]} second
 */
function words(number, first, second) {
  const round = Math.floor(number / (first.length * second.length))
  return `${first[number % first.length]}${second[Math.floor(number / first.length) % second.length]}${round || ''}`
}

/**
 * @param {number} group
 * @param {number} index
 * @param {Kind} kind
 */
function leafName(group, index, kind) {
  return `${THIRD[(group + index) % THIRD.length]}${FIRST[(group * 5 + index) % FIRST.length]}${SUFFIX[kind]}`
}

/**
 * @param {number} at
 * @param {readonly PathStep[]} above
 * @param {string} name
 * @param {Kind} kind
 * @returns {Leaf}
 */
function leafOf(at, above, name, kind) {
  const steps = [...above, { descendant: false, uri: NAMESPACES.b, name }]
  return { ...pathOf(at, steps), kind, tag: `b:${name}` }
}

/**
 * @param {number} at
 * @param {readonly PathStep[]} steps
 * @param {Readonly<Record<string, string>>} [namespaces]
 * @returns {Path}
 */
export function pathOf(at, steps, namespaces = NAMESPACES) {
  const names = steps.map(
    ({ descendant, uri, name }) => `${descendant ? '//' : '/'}${qualified(uri, name, namespaces)}`,
  )
  return { at, xpath: names.join(''), steps }
}

/**
 * @param {string} uri
 * @param {string} name
 * @param {Readonly<Record<string, string>>} namespaces
 */
function qualified(uri, name, namespaces) {
  const prefix = Object.entries(namespaces).find(([, value]) => value === uri)?.[0]
  return name === '*' || prefix === undefined ? name : `${prefix}:${name}`
}
