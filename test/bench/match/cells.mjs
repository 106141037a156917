/**
 * Which cells a run measures.
 *
 * @typedef {import('./scenario.mjs').Cell} Cell
 */

/** @type {Omit<Cell, 'name'>} */
const BASE = {
  kind: 'mixed',
  routes: 100_000,
  bytes: 10_000,
  paths: 200,
  matches: 1,
  skew: 'uniform',
  contenders: [],
}

/**
 * The goals are read from these. `base` names the one that the others are compared with.
 * @type {readonly Cell[]}
 */
export const CHECKED = [
  { ...BASE, name: '1k routes', routes: 1_000 },
  { ...BASE, name: '100k routes', parse: true, updates: true, contenders: ['closures', 'automaton', 'libxml2'] },
  { ...BASE, name: '1,600 wildcard paths', kind: 'wildcards', paths: 1_600, parse: true },
  { ...BASE, name: '100 KB, 100 matches, 10 paths', bytes: 100_000, matches: 100, paths: 10, contenders: ['closures'] },
  {
    ...BASE,
    name: '1 KB, 2,000 paths, Zipf',
    bytes: 1_000,
    paths: 2_000,
    skew: 'zipf',
    contenders: ['closures', 'automaton'],
  },
  { ...BASE, name: 'one value shared by all', kind: 'shared' },
  { ...BASE, name: "//*[. = 'x']", kind: 'anywhere' },
  { ...BASE, name: '100k ranges', kind: 'ranges' },
  { ...BASE, name: 'new names', kind: 'names', matches: 0 },
  { ...BASE, name: 'hash floods', kind: 'floods', routes: 65_535 },
  { ...BASE, name: 'corpora', kind: 'corpora', parse: true, contenders: ['closures'] },
  // The longest one comes last: where time runs out, the others have been measured.
  { ...BASE, name: '1M routes', routes: 1_000_000 },
]

/** @type {readonly Cell[]} */
export const QUICK = [
  { ...BASE, name: '1k routes', routes: 1_000, contenders: ['closures', 'automaton', 'libxml2'] },
  { ...BASE, name: '10k routes', routes: 10_000, parse: true, contenders: ['closures', 'automaton', 'libxml2'] },
  { ...BASE, name: 'corpora', kind: 'corpora', routes: 10_000, parse: true, contenders: ['closures'] },
]

const ROUTES = { '1k': 1_000, '10k': 10_000, '100k': 100_000, '1M': 1_000_000 }
const BYTES = { '1k': 1_000, '10k': 10_000, '100k': 100_000 }
const PATHS = { 10: 10, 200: 200, 2000: 2_000 }
const MATCHES = { 0: 0, 1: 1, 100: 100 }
const SKEWS = { uniform: 'uniform', zipf: 'zipf' }
/** What can be swept, with what each word stands for. */
export const SWEPT = { routes: ROUTES, bytes: BYTES, paths: PATHS, matches: MATCHES, skew: SKEWS }

/** Beyond so many routes the contenders are left out that pay for each of them. */
const MOST_COMPARED = 100_000

/**
 * Without a choice: every cell of the check, and those that differ from the base in one thing. With one: all combinations of it.
 * @param {Partial<Record<keyof typeof SWEPT, readonly string[]>>} chosen
 * @returns {Cell[]}
 */
export function sweep(chosen) {
  if (Object.keys(chosen).length > 0) return combinations(chosen)
  const own = Object.entries(SWEPT).flatMap(([name, known]) =>
    Object.keys(known).flatMap((word) => combinations({ [name]: [word] })),
  )
  const names = new Set()
  const each = own.filter(({ name }) => !names.has(name) && names.add(name))
  return [...each, ...CHECKED.filter(({ kind }) => kind !== 'mixed')]
}

/**
 * @param {Partial<Record<string, readonly string[]>>} chosen
 * @returns {Cell[]}
 */
function combinations(chosen) {
  /** @type {Omit<Cell, 'name'>[]} */
  let cells = [{ ...BASE, parse: true }]
  for (const [name, known] of Object.entries(SWEPT)) {
    const words = chosen[name]
    if (words) cells = cells.flatMap((cell) => words.map((word) => ({ ...cell, [name]: known[word] })))
  }
  return cells.map((cell) => ({
    ...cell,
    name: nameOf(cell),
    contenders: cell.routes > MOST_COMPARED ? [] : ['closures', 'automaton'],
  }))
}

/** @param {Omit<Cell, 'name'>} cell */
function nameOf({ routes, bytes, paths, matches, skew }) {
  return `${routes / 1000}k routes, ${bytes / 1000} KB, ${paths} paths, ${matches} matches, ${skew}`
}
