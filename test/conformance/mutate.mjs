// Documents with one or two mistakes each, the same ones for a seed.

/**
 * @typedef {import('../../src/domain/element.ts').Element} Element
 * @typedef {{ name: string, uri: string, prefix: string, attributes: { name: string, uri: string, prefix: string, value: string }[],
 *   namespaces: Record<string, string> | null, children: (Tree | string)[] }} Tree an element that may be changed
 */

/** Mulberry32. @param {number} seed */
export function randomFrom(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const XSI = 'http://www.w3.org/2001/XMLSchema-instance'
const VALUES = [
  '',
  ' ',
  'x',
  '0',
  '-1',
  '1.5',
  '1e3',
  '007',
  'true',
  'EUR',
  'eur',
  '2026-02-30',
  '2026-02-28',
  '2026-02-28Z',
  '24:00:00',
  'P1D',
  '12345678901234567890',
  '0.12345678901234567890',
  'NaN',
  'INF',
  'a b',
  ' a ',
  'ä€𝄞',
  'urn:x',
  '%zz',
  'x'.repeat(400),
  '١٢',
  '+5',
  '1.',
  '.5',
]

/**
 * A copy of the document with a mistake or two; some mistakes leave it valid.
 *
 * @param {Element} root
 * @param {() => number} random
 * @returns {{ root: Tree, how: string }}
 */
export function mutate(root, random) {
  const copy = copyOf(root)
  const how = [mutateOnce(copy, random)]
  if (random() < 0.15) how.push(mutateOnce(copy, random))
  return { root: copy, how: how.join(', ') }
}

/** @param {Element} element @returns {Tree} */
function copyOf(element) {
  const children = element.children.map((child) => (typeof child === 'string' ? child : copyOf(child)))
  return { ...element, attributes: element.attributes.map((attribute) => ({ ...attribute })), children }
}

/** @template T @param {readonly T[]} list @param {() => number} random @returns {T | undefined} */
const pick = (list, random) => list[Math.floor(random() * list.length)]

/** @param {Tree} tree @returns {{ tree: Tree, parent: Tree | undefined }[]} */
function all(tree, parent = /** @type {Tree | undefined} */ (undefined)) {
  return [{ tree, parent }, ...elementsOf(tree).flatMap((child) => all(child, tree))]
}

/** @param {Tree} tree */
const elementsOf = (tree) => /** @type {Tree[]} */ (tree.children.filter((child) => typeof child !== 'string'))

/** @param {Tree} root @param {() => number} random */
function mutateOnce(root, random) {
  const places = all(root)
  for (;;) {
    const { tree, parent } = /** @type {{ tree: Tree, parent: Tree | undefined }} */ (pick(places, random))
    const [name, change] = /** @type {[string, (typeof CHANGES)[string]]} */ (pick(Object.entries(CHANGES), random))
    if (change(tree, parent, random, places)) return `${name} at ${tree.name}`
  }
}

/** Each says whether it could. @type {Record<string, (tree: Tree, parent: Tree | undefined, random: () => number, places: { tree: Tree }[]) => boolean>} */
const CHANGES = {
  remove(tree, parent) {
    if (!parent) return false
    parent.children.splice(parent.children.indexOf(tree), 1)
    return true
  },
  double(tree, parent) {
    if (!parent) return false
    parent.children.splice(parent.children.indexOf(tree), 0, copyOf(tree))
    return true
  },
  swap(tree, parent) {
    const siblings = parent ? elementsOf(parent) : []
    const next = siblings[siblings.indexOf(tree) + 1]
    if (!parent || !next) return false
    const [one, other] = [parent.children.indexOf(tree), parent.children.indexOf(next)]
    parent.children[one] = next
    parent.children[other] = tree
    return true
  },
  move(tree, parent, random, places) {
    const target = pick(places, random)?.tree
    if (!parent || !target || all(tree).some((below) => below.tree === target)) return false
    parent.children.splice(parent.children.indexOf(tree), 1)
    target.children.push(tree)
    return true
  },
  rename(tree) {
    tree.name = `${tree.name}x`
    return true
  },
  exchange(tree, _, random, places) {
    const other = pick(places, random)?.tree
    if (!other || other.name === tree.name) return false
    tree.name = other.name
    tree.uri = other.uri
    tree.prefix = other.prefix
    return true
  },
  namespace(tree, _, random) {
    tree.uri = random() < 0.5 ? '' : 'urn:other'
    tree.prefix = ''
    return true
  },
  empty(tree) {
    tree.children = []
    return true
  },
  text(tree, _, random) {
    tree.children.splice(
      Math.floor(random() * (tree.children.length + 1)),
      0,
      pick(['text', ' ', '\n', '7'], random) ?? '',
    )
    return true
  },
  value: setValue,
  otherValue: setValue,
  unknownElement(tree, _, random) {
    const added = {
      name: 'unknown',
      uri: random() < 0.5 ? tree.uri : '',
      prefix: '',
      attributes: [],
      namespaces: null,
      children: [],
    }
    tree.children.splice(Math.floor(random() * (tree.children.length + 1)), 0, added)
    return true
  },
  unknownAttribute(tree, _, random) {
    const uri = random() < 0.5 ? '' : 'urn:other'
    if (tree.attributes.some((one) => one.name === 'unknown' && one.uri === uri)) return false
    tree.attributes.push({ name: 'unknown', uri, prefix: uri === '' ? '' : 'o', value: '1' })
    return true
  },
  removeAttribute(tree, _, random) {
    if (tree.attributes.length === 0) return false
    tree.attributes.splice(Math.floor(random() * tree.attributes.length), 1)
    return true
  },
  attributeValue(tree, _, random) {
    const attribute = pick(tree.attributes, random)
    if (!attribute || attribute.uri === XSI) return false
    attribute.value = pick(VALUES, random) ?? ''
    return true
  },
  attributeNamespace(tree, _, random) {
    const attribute = pick(tree.attributes, random)
    if (attribute?.uri !== '' || tree.attributes.some((one) => isTwin(one, attribute.name))) return false
    attribute.uri = 'urn:other'
    attribute.prefix = 'o'
    return true
  },
  nil(tree, _, random) {
    if (tree.attributes.some(({ uri }) => uri === XSI)) return false
    tree.attributes.push({
      name: 'nil',
      uri: XSI,
      prefix: 'xsi',
      value: pick(['true', 'false', '1', 'x'], random) ?? '',
    })
    return true
  },
}

/** No element has an attribute twice. @param {{ name: string, uri: string }} attribute @param {string} name */
const isTwin = (attribute, name) => attribute.name === name && attribute.uri === 'urn:other'

/** @param {Tree} tree @param {Tree | undefined} _ @param {() => number} random */
function setValue(tree, _, random) {
  if (elementsOf(tree).length > 0) return false
  const [old] = tree.children
  const shift = typeof old === 'string' && /^-?\d+(\.\d+)?$/.test(old) && random() < 0.5
  tree.children = [shift ? String(Number(old) + (random() < 0.5 ? 0.01 : 1)) : (pick(VALUES, random) ?? '')]
  return true
}
