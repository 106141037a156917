/**
 * Random XPath 1.0 over a small vocabulary, so that it often meets something in a random document of the same.
 *
 * @typedef {{ text: string, within: readonly Expression[] }} Expression `within`: smaller expressions that it was made of
 * @typedef {import('./draw.mjs').Draw} Draw
 */

export const NAMESPACES = { p: 'urn:p' }
const NAMES = ['a', 'b', 'c', 'p:a', 'p:b', 'r']
const ATTRIBUTES = ['x', 'y', 'p:x']
const TEXTS = ['x', 'xy', '1', '2', '10', '1.0', ' 1 ', '', 'EUR', 'x x', '-1', '1e1', 'NaN']
const NUMBERS = ['0', '1', '2', '10', '1.5', '-1']
const COMPARISONS = ['=', '=', '=', '!=', '<', '<=', '>', '>=']
const AXES =
  `child descendant descendant-or-self self parent ancestor ancestor-or-self following-sibling preceding-sibling
following preceding`.split(/\s+/)
const DEEPEST = 3

/**
 * @param {Draw} draw
 * @param {number} [depth]
 * @returns {Expression}
 */
export function makeExpression(draw, depth = 0) {
  const sub = () => makeExpression(draw, depth + 1)
  const kind = draw.next()
  if (depth < DEEPEST && kind < 0.2) return joined(draw.pick([' and ', ' and ', ' or ']), [sub(), sub()])
  if (depth < DEEPEST && kind < 0.28) return wrapped('not(', sub(), ')')
  if (kind < 0.36) return makePath(draw, depth)
  if (kind < 0.7) return joined(` ${draw.pick(COMPARISONS)} `, [makePath(draw, depth), makeLiteral(draw)])
  if (kind < 0.76) return joined(` ${draw.pick(COMPARISONS)} `, [makeLiteral(draw), makePath(draw, depth)])
  if (kind < 0.8) return joined(` ${draw.pick(COMPARISONS)} `, [makePath(draw, depth), makePath(draw, depth)])
  if (kind < 0.9) return makeTextTest(draw, depth)
  return joined(` ${draw.pick(COMPARISONS)} `, [makeComputed(draw, depth), makeLiteral(draw)])
}

/**
 * @param {string} between
 * @param {readonly Expression[]} parts
 * @returns {Expression}
 */
function joined(between, parts) {
  return { text: parts.map(({ text }) => text).join(between), within: parts }
}

/**
 * @param {string} before
 * @param {Expression} inner
 * @param {string} after
 * @returns {Expression}
 */
function wrapped(before, inner, after) {
  return { text: `${before}${inner.text}${after}`, within: [inner] }
}

/** @param {Draw} draw */
function makeLiteral(draw) {
  return draw.chance(0.6) ? quoted(draw) : { text: draw.pick(NUMBERS), within: [] }
}

/**
 * @param {Draw} draw
 * @returns {Expression}
 */
function quoted(draw) {
  return { text: `'${draw.pick(TEXTS)}'`, within: [] }
}

/**
 * @param {Draw} draw
 * @param {number} depth
 * @returns {Expression}
 */
function makeTextTest(draw, depth) {
  const name = draw.pick(['starts-with', 'contains'])
  return joined('', [
    { text: `${name}(`, within: [] },
    makePath(draw, depth),
    { text: `, '${draw.pick(TEXTS)}')`, within: [] },
  ])
}

/**
 * @param {Draw} draw
 * @param {number} depth
 * @returns {Expression}
 */
function makeComputed(draw, depth) {
  const path = makePath(draw, depth)
  const name = draw.pick([
    'count',
    'count',
    'sum',
    'string-length',
    'normalize-space',
    'number',
    'string',
    'local-name',
    'concat',
  ])
  if (name === 'concat') return wrapped('concat(', path, ", 'x')")
  return draw.chance(0.1) ? wrapped(`${name}(`, path, ') + 1') : wrapped(`${name}(`, path, ')')
}

/**
 * @param {Draw} draw
 * @param {number} depth
 * @returns {Expression}
 */
function makePath(draw, depth) {
  const within = []
  let text = ''
  const steps = 1 + draw.below(3)
  for (let step = 0; step < steps; step += 1) {
    if (step > 0 || depth === 0 || draw.chance(0.3)) text += draw.chance(0.25) ? '//' : '/'
    else if (draw.chance(0.15)) text += './/'
    const last = step === steps - 1
    const node = last && draw.chance(0.2) ? makeAttribute(draw) : makeNode(draw, last)
    text += node
    // XPath 1.0, 2.5: the short forms take no predicates.
    if (node === '.' || node === '..' || depth >= DEEPEST || !draw.chance(0.2)) continue
    const predicate = draw.chance(0.25) ? makePosition(draw) : makeExpression(draw, depth + 1)
    text += `[${predicate.text}]`
    within.push(predicate)
  }
  return { text, within }
}

/** @param {Draw} draw */
function makeAttribute(draw) {
  return draw.chance(0.1) ? '@*' : `@${draw.pick(ATTRIBUTES)}`
}

/**
 * @param {Draw} draw
 * @param {boolean} last
 */
function makeNode(draw, last) {
  const kind = draw.next()
  if (kind < 0.12) return '*'
  if (kind < 0.16) return '.'
  if (kind < 0.18) return '..'
  if (kind < 0.21) return 'p:*'
  if (kind < 0.28) return `${draw.pick(AXES)}::${draw.pick(['*', 'node()', ...NAMES])}`
  if (last && kind < 0.34) return 'text()'
  return draw.pick(NAMES)
}

/**
 * @param {Draw} draw
 * @returns {Expression}
 */
function makePosition(draw) {
  return { text: draw.pick(['1', '2', 'last()', 'position() = 2', 'position() < 3', 'last() > 1']), within: [] }
}

const TOKENS =
  `/ // . .. @ * ( ) [ ] = != < <= > >= + - | , :: : $ ' " '' 'x' 1 .5 1. 0 a b p:a p:* q:a and or div mod not count( last() position() text()
node() string( comment() processing-instruction( self:: ancestor:: child:: attribute:: namespace:: id( lang( normalize-space( \u0000 \u00e9 a-b -- !`.split(
    /\s+/,
  )

/**
 * Anything: hardly ever an XPath, but made of the pieces of one.
 * @param {Draw} draw
 */
export function makeSoup(draw) {
  const length = 1 + draw.below(12)
  return Array.from({ length }, () => draw.pick(TOKENS)).join(draw.chance(0.5) ? ' ' : '')
}

/**
 * @param {Draw} draw
 * @returns {string} a document
 */
export function makeTree(draw) {
  const declared = Object.entries(NAMESPACES).map(([prefix, uri]) => ` xmlns:${prefix}="${uri}"`)
  const attribute = draw.chance(0.3) ? ` x="${draw.pick(TEXTS)}"` : ''
  return `<r${declared.join('')}${attribute}>${makeChildren(draw, 1)}</r>`
}

/**
 * @param {Draw} draw
 * @param {number} depth
 * @returns {string}
 */
function makeChildren(draw, depth) {
  const children = Array.from({ length: draw.below(5 - depth) + (depth === 1 ? 2 : 0) }, () => makeChild(draw, depth))
  if (children.length === 0 || draw.chance(0.15)) children.push(draw.pick(TEXTS))
  return children.join(draw.chance(0.1) ? draw.pick(TEXTS) : '')
}

/**
 * @param {Draw} draw
 * @param {number} depth
 */
function makeChild(draw, depth) {
  const name = draw.pick(NAMES)
  const attributes = ATTRIBUTES.filter(() => draw.chance(0.15)).map((each) => ` ${each}="${draw.pick(TEXTS)}"`)
  return `<${name}${attributes.join('')}>${makeChildren(draw, depth + 1)}</${name}>`
}
