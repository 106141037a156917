/**
 * One cell in a process of its own, so that no cell finds another one's garbage, caches or optimised code. In: `{ cell, seed, pace }`; out:
 * a {@link Result} or `{ failed }`.
 *
 * @typedef {import('./measuring.mjs').Timing} Timing
 * @typedef {import('./scenario.mjs').Cell} Cell
 * @typedef {{
 *   cell: Cell, failure: string, absent?: boolean, elements: number, bytes: number, routes: number,
 *   parse?: Timing, addMs: number, firstAddMs: number, bytesPerRoute: number, usedBytes: number, bytesAfterUse: number,
 *   match?: Timing, decide?: Timing, parseAndMatch?: Timing,  // `decide`: match, and the deliveries planned
 *   overParse?: number,  // parse + match over parse, in turns
 *   updates?: import('./updates.mjs').Updates,
 *   others: Record<string, { compileMs: number, match: Timing, parseAndMatch?: Timing }>
 * }} Result
 */
import { noLimits } from '../../../dist/documents/limits.js'
import { parseXml } from '../../../dist/documents/xml.js'
import { median } from '../e2e/tally.mjs'
import { compileAutomaton } from './automaton.mjs'
import { compileClosures } from './closures.mjs'
import { makeExtraction } from './extraction.mjs'
import { compileLibxml2, loadTree, unloadTree } from './libxml2.mjs'
import { measure, measureInTurns, startClock, usedBytes } from './measuring.mjs'
import { routeOf } from './routes.mjs'
import { makeScenario } from './scenario.mjs'
import { measureUpdates } from './updates.mjs'
import { compileWaybill, subjectOf } from './waybill.mjs'

/** How many documents of a cell every contender has to agree on with the closure loop. */
const AGREED_DOCUMENTS = 8
/** libxml2 takes about a second for a document and a hundred thousand routes. */
const SLOW_ROUTES = 20_000
const SLOW_DOCUMENTS = 2
const SLOW_ROUNDS = 3
/** The closure loop takes tens of milliseconds for a document and a million routes. */
const MOST_LOOPED = 100_000

process.on('message', (message) => {
  const { cell, seed, pace } = /** @type {any} */ (message)
  measureCell(cell, seed, pace).then(
    (result) => process.send?.(result),
    (error) => process.send?.({ failed: error instanceof Error ? error.message : String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))

/**
 * @param {Cell} cell
 * @param {number} seed
 * @param {import('./measuring.mjs').Pace} pace
 * @returns {Promise<Result>}
 */
async function measureCell(cell, seed, pace) {
  const scenario = makeScenario(cell, seed)
  if (!scenario) return { ...nothing(cell), absent: true }
  const { documents, specs, fresh = false } = scenario
  const loaded = documents.map(({ text, fields }) => ({ text, fields, root: parse(text) }))
  const own = measureWaybill(scenario, loaded, { pace, addRounds: cell.updates ? ADD_ROUNDS : 1 })
  const parsing = cell.parse ? measureParsing(scenario, loaded, own.compiled, pace) : {}
  const extract = makeExtraction(pathsOf(specs))
  const others = measureOthers(cell, scenario, { loaded, extract, pace })
  const updates = cell.updates ? { updates: await measureChanges(cell, scenario, loaded, seed) } : {}
  const { compiled, ...measured } = own
  return {
    ...nothing(cell),
    failure: disagreement(compiled, others.agreed),
    elements: loaded.reduce((sum, { root }) => sum + elementsIn(root), 0) / loaded.length,
    bytes: documents.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0) / documents.length,
    routes: specs.length,
    ...measured,
    ...parsing,
    ...updates,
    others: others.measured,
    ...(fresh ? { fresh } : {}),
  }
}

/** @param {Cell} cell */
function nothing(cell) {
  const numbers = {
    elements: 0,
    bytes: 0,
    routes: 0,
    addMs: 0,
    firstAddMs: 0,
    bytesPerRoute: 0,
    usedBytes: 0,
    bytesAfterUse: 0,
  }
  return { cell, failure: '', ...numbers, others: {} }
}

/** @typedef {{ text: string, fields: Record<string, string[]>, root: import('../../../dist/domain/element.js').Element }} Loaded */

/**
 * @param {import('./scenario.mjs').Scenario} scenario
 * @param {readonly Loaded[]} loaded
 * @param {{ pace: import('./measuring.mjs').Pace, addRounds: number }} how
 */
function measureWaybill({ specs, namespaces, fresh = false }, loaded, { pace, addRounds }) {
  const routes = specs.map((spec, at) => routeOf(spec, at, namespaces))
  const before = usedBytes()
  const [compiled, firstAddMs] = timed(() => compileWaybill(routes))
  const used = usedBytes() - before
  const subjects = loaded.map(({ root, fields }) => subjectOf(root, fields))
  const match = measure(subjects, (subject) => compiled.matching(subject).length, pace, { fresh })
  const decide = measure(subjects, (subject) => compiled.match(subject).routes.length, pace, { fresh })
  const bytesAfterUse = usedBytes() - before
  const addMs = measureAdding(routes, firstAddMs, addRounds)
  // Alive until here: otherwise what routes share with the index would be counted as freed.
  const count = routes.length
  return { compiled, addMs, firstAddMs, bytesPerRoute: used / count, usedBytes: used, bytesAfterUse, match, decide }
}

/** Where a goal is read from it; elsewhere routes are added once, in a process that has just started. */
const ADD_ROUNDS = 5

/**
 * The median of some rounds, each into a set of its own; the first one is one of them.
 *
 * @param {readonly import('../../../dist/domain/route.js').Route[]} routes
 * @param {number} firstMs
 * @param {number} rounds
 */
function measureAdding(routes, firstMs, rounds) {
  const others = Array.from({ length: rounds - 1 }, () => timed(() => compileWaybill(routes))[1])
  return median([firstMs, ...others])
}

/**
 * @param {import('./scenario.mjs').Scenario} scenario
 * @param {readonly Loaded[]} loaded
 * @param {ReturnType<typeof compileWaybill>} compiled
 * @param {import('./measuring.mjs').Pace} pace
 */
function measureParsing({ fresh = false }, loaded, compiled, pace) {
  const parseOnly = (/** @type {Loaded} */ { text }) => parse(text).children.length
  const both = (/** @type {Loaded} */ { text, fields }) => compiled.matching(subjectOf(parse(text), fields)).length
  const { timings, ratio } = measureInTurns(loaded, [parseOnly, both], pace, { fresh })
  return { parse: timings[0], parseAndMatch: timings[1], overParse: ratio }
}

/** What comes in is of another seed and on more paths than what is there: new paths are part of a change. */
const MORE_PATHS = 1.5
const ADDED_SHARE = 0.1

/**
 * @param {Cell} cell
 * @param {import('./scenario.mjs').Scenario} scenario
 * @param {readonly Loaded[]} loaded
 * @param {number} seed
 */
function measureChanges(cell, { specs, namespaces }, loaded, seed) {
  const paths = Math.floor(cell.paths * MORE_PATHS)
  const others = makeScenario({ ...cell, routes: cell.routes * ADDED_SHARE, paths }, seed + 1)
  const routes = specs.map((spec, at) => routeOf(spec, at, namespaces))
  const added = (others?.specs ?? []).map((spec, at) => routeOf(spec, specs.length + at, namespaces))
  const subjects = loaded.map(({ root, fields }) => subjectOf(root, fields))
  return measureUpdates(routes, added, subjects)
}

/**
 * @param {Cell} cell
 * @param {import('./scenario.mjs').Scenario} scenario
 * @param {{ loaded: readonly Loaded[], extract: ReturnType<typeof makeExtraction>, pace: import('./measuring.mjs').Pace }} with_
 */
function measureOthers(cell, { specs, namespaces }, { loaded, extract, pace }) {
  /** @type {Result['others']} */
  const measured = {}
  const extracted = loaded.slice(0, 32).map(({ root }) => extract(root))
  const wants = (/** @type {Cell['contenders'][number]} */ name) => cell.contenders.includes(name)
  const [matchAll, closuresMs] = timed(() => compileClosures(specs))
  if (wants('closures')) {
    const match = measure(extracted, (document) => matchAll(document).length, pace)
    measured.closures = { compileMs: closuresMs, match }
    if (cell.parse) {
      const both = (/** @type {Loaded} */ { text }) => matchAll(extract(parse(text))).length
      measured.closures.parseAndMatch = measure(loaded, both, pace)
    }
  }
  const expected = loaded
    .slice(0, specs.length > MOST_LOOPED ? SLOW_DOCUMENTS : AGREED_DOCUMENTS)
    .map(({ root }) => matchAll(extract(root)))
  const agreed = loaded.slice(0, expected.length).map((document, at) => ({ document, expected: expected[at] }))
  if (wants('automaton')) {
    const [automaton, compileMs] = timed(() => compileAutomaton(specs))
    const sorted = extracted.map((document) => automaton.sort(document))
    for (const [at, { expected: wanted }] of agreed.entries())
      mustAgree('automaton', automaton.match(sorted[at]), wanted)
    // As the index begins with the tree, so does it; what it takes on fields that were sorted before is told as well.
    const fromTree = (/** @type {Loaded} */ { root }) => automaton.match(automaton.sort(extract(root))).length
    measured.automaton = { compileMs, match: measure(loaded, fromTree, pace) }
    measured['automaton on sorted fields'] = {
      compileMs,
      match: measure(sorted, (each) => automaton.match(each).length, pace),
    }
  }
  if (wants('libxml2')) {
    const [matchEach, compileMs] = timed(() => compileLibxml2(specs))
    const few = agreed.slice(0, specs.length > SLOW_ROUTES ? SLOW_DOCUMENTS : AGREED_DOCUMENTS)
    const trees = few.map(({ document }) => loadTree(document.text, namespaces))
    for (const [at, { expected: wanted }] of few.entries()) mustAgree('libxml2', matchEach(trees[at]), wanted)
    const brief = {
      ...pace,
      rounds: Math.min(pace.rounds, specs.length > SLOW_ROUTES ? SLOW_ROUNDS : pace.rounds),
      warmUpMs: 0,
    }
    measured.libxml2 = { compileMs, match: measure(trees, (tree) => matchEach(tree).length, brief) }
    for (const tree of trees) unloadTree(tree)
  }
  return { measured, agreed }
}

/**
 * @template T
 * @param {() => T} work
 * @returns {[T, number]} and the milliseconds that it took
 */
function timed(work) {
  const elapsedUs = startClock()
  const result = work()
  return [result, elapsedUs() / 1000]
}

/**
 * @param {string} who
 * @param {readonly number[]} found
 * @param {readonly number[]} expected
 */
function mustAgree(who, found, expected) {
  const difference = differenceOf(
    [...found].sort((a, b) => a - b),
    expected,
  )
  if (difference !== '') throw new Error(`Cannot compare: ${who} and the closure loop differ, ${difference}`)
}

/**
 * @param {ReturnType<typeof compileWaybill>} compiled
 * @param {readonly { document: Loaded, expected: readonly number[] }[]} agreed
 */
function disagreement(compiled, agreed) {
  for (const { document, expected } of agreed) {
    const found = compiled.matching(subjectOf(document.root, document.fields)).map(({ name }) => Number(name.slice(1)))
    const difference = differenceOf(
      [...found].sort((a, b) => a - b),
      expected,
    )
    if (difference !== '') return difference
  }
  return ''
}

/**
 * @param {readonly number[]} found
 * @param {readonly number[]} expected
 */
function differenceOf(found, expected) {
  const missing = expected.filter((at) => !found.includes(at))
  const wrong = found.filter((at) => !expected.includes(at))
  if (missing.length === 0 && wrong.length === 0) return ''
  return `found ${found.length} routes of ${expected.length}: missing ${missing.slice(0, 3).join() || 'none'}, wrong ${wrong.slice(0, 3).join() || 'none'}`
}

/** @param {readonly import('./routes.mjs').Spec[]} specs */
function pathsOf(specs) {
  return [...new Map(specs.flatMap(({ atoms }) => atoms.map(({ path }) => [path.at, path]))).values()]
}

/** @param {string} text */
function parse(text) {
  const parsed = parseXml(text, noLimits)
  if (parsed.kind !== 'xml') throw new Error(`Cannot parse a document: ${parsed.rejection.text}`)
  return parsed.root
}

/** @param {import('../../../dist/domain/element.js').Element} element */
function elementsIn(element) {
  let count = 1
  for (const child of element.children) if (typeof child !== 'string') count += elementsIn(child)
  return count
}
