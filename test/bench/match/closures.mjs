/**
 * The fair naive: one compiled closure a route, asked one after the other over fields that were extracted before.
 *
 * @typedef {import('./extraction.mjs').Extracted} Extracted
 * @typedef {(document: Extracted) => boolean} Test
 */

/**
 * @param {readonly import('./routes.mjs').Spec[]} specs
 * @returns {(document: Extracted) => number[]} the places of the routes that match
 */
export function compileClosures(specs) {
  const tests = specs.map(({ atoms }) => allOf(atoms.map(compileAtom)))
  return (document) => {
    const found = []
    for (let at = 0; at < tests.length; at += 1) if (tests[at](document)) found.push(at)
    return found
  }
}

/**
 * @param {readonly Test[]} tests
 * @returns {Test}
 */
function allOf(tests) {
  const [first, second, third] = tests
  if (tests.length === 1) return first
  if (tests.length === 2) return (document) => first(document) && second(document)
  if (tests.length === 3) return (document) => first(document) && second(document) && third(document)
  return (document) => tests.every((test) => test(document))
}

/**
 * @param {import('./routes.mjs').Atom} atom
 * @returns {Test}
 */
function compileAtom(atom) {
  const { at } = atom.path
  switch (atom.kind) {
    case 'is':
    case 'self':
      return ({ texts }) => texts[at]?.includes(atom.text) === true
    case 'not':
      return ({ texts }) => texts[at]?.includes(atom.text) !== true
    case 'prefix':
      return ({ texts }) => texts[at]?.some((text) => text.startsWith(atom.text)) === true
    case 'contains':
      return ({ texts }) => texts[at]?.some((text) => text.includes(atom.text)) === true
    case 'range':
      return ({ numbers }) => numbers[at]?.some((number) => number >= atom.low && number < atom.high) === true
    case 'exists':
      return ({ texts }) => texts[at] !== undefined
  }
}
