import { compileXPathTest } from '../../../dist/documents/documents.js'
import { createRouteSet } from '../../../dist/matching/route-set.js'
import { startClock, startPauseClock } from './measuring.mjs'

/**
 * Routes that come and go while documents are matched: what nobody may wait for is a slice of a change, or a document between two slices.
 *
 * @typedef {import('../../../dist/matching/subject.js').Subject} Subject
 * @typedef {import('../../../dist/domain/route.js').Route} Route
 * @typedef {{ longestMs: number, slices: number, changed: number, documents: number, perSecond: number, mixed: string }} Updates `longestMs`: the
 *   longest slice, with the document after it; `mixed`: a document that saw neither the old routes nor the new ones
 */

const REMOVED_SHARE = 0.1

/**
 * @param {readonly Route[]} routes in force before
 * @param {readonly Route[]} added come in place of the first tenth
 * @param {readonly Subject[]} subjects
 * @returns {Promise<Updates>}
 */
export async function measureUpdates(routes, added, subjects) {
  const { matcher, change, changeAtOnce } = createRouteSet(compileXPathTest)
  changeAtOnce({ add: routes })
  const removed = routes.slice(0, Math.floor(routes.length * REMOVED_SHARE)).map(({ name }) => name)
  const before = subjects.map((subject) => namesOf(matcher.matching(subject)))
  warmUp(matcher, subjects)

  const seen = subjects.map(() => new Set())
  let longestUs = 0
  let slices = 0
  let elapsedUs = startPauseClock()
  const totalUs = startClock()
  const pause = async () => {
    const at = slices % subjects.length
    seen[at].add(namesOf(matcher.matching(subjects[at])))
    longestUs = Math.max(longestUs, elapsedUs())
    slices += 1
    await new Promise((resolve) => setImmediate(resolve))
    elapsedUs = startPauseClock()
  }
  await change({ remove: removed, add: added }, pause)
  longestUs = Math.max(longestUs, elapsedUs())
  const tookUs = totalUs()

  const after = subjects.map((subject) => namesOf(matcher.matching(subject)))
  const mixed = seen.findIndex((names, at) => [...names].some((each) => each !== before[at] && each !== after[at]))
  return {
    longestMs: longestUs / 1000,
    slices,
    changed: removed.length + added.length,
    documents: slices,
    perSecond: ((removed.length + added.length) * 1e6) / tookUs,
    mixed: mixed < 0 ? '' : `document ${mixed} saw neither the old routes nor the new ones`,
  }
}

/** @param {readonly Route[]} routes */
function namesOf(routes) {
  return routes.map(({ name }) => name).join(' ')
}

/**
 * @param {import('../../../dist/matching/route-set.js').Matcher} matcher
 * @param {readonly Subject[]} subjects
 */
function warmUp(matcher, subjects) {
  for (let round = 0; round < 20; round += 1) for (const subject of subjects) matcher.matching(subject)
}
