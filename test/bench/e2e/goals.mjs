import { ratioOf, summarise } from './summary.mjs'
import { digits } from './table.mjs'

/**
 * @typedef {{ text: string, met: boolean }} Goal
 * @typedef {import('./measure.mjs').Result} Result
 * @typedef {import('./summary.mjs').Spread} Spread
 */

const PLAIN = 'waybill 1000 routes'
const RULES = 'waybill 1000 routes schematron'

/**
 * What must hold of a run. What was not measured, or failed, was not shown: it is missed.
 * @param {readonly Result[]} results
 * @returns {Goal[]}
 */
export function goalsOf(results) {
  const find = (/** @type {Record<string, unknown>} */ wanted) =>
    results.find(({ situation }) => Object.entries(wanted).every(([field, value]) => situation[field] === value))
  const at = (/** @type {Record<string, unknown>} */ wanted) =>
    find({ settings: 'usual', size: '1k', carriage: 'in-band', fanOut: 1, to: 'jid', ...wanted })
  const ejabberd = at({ server: 'ejabberd' })
  const sealed = at({ server: 'ejabberd', carriage: 'sealed' })
  const large = at({ server: 'ejabberd', size: '10k' })
  const fanned = at({ server: 'ejabberd', fanOut: 20 })
  const prosody = { inBand: at({ server: 'prosody' }), sealed: at({ server: 'prosody', carriage: 'sealed' }) }
  const prosodyFanned = at({ server: 'prosody', fanOut: 20 })
  return [
    atLeast('ejabberd, 1.1 KB in-band, to naive', 2.5, ratio(ejabberd, PLAIN, 'naive')),
    atLeast('ejabberd, 1.1 KB in-band, of raw', 0.45, ratio(ejabberd, PLAIN, 'raw')),
    atLeast('ejabberd, 1.1 KB sealed, to naive in-band', 4, across(sealed, ejabberd)),
    atLeast('Prosody, 1.1 KB in-band, of raw', 0.85, ratio(prosody.inBand, PLAIN, 'raw')),
    atLeast('Prosody, 1.1 KB sealed, of raw', 0.75, ratio(prosody.sealed, PLAIN, 'raw')),
    atLeast('ejabberd, 10 KB in-band, to naive', 2.5, ratio(large, PLAIN, 'naive')),
    atLeast('ejabberd, 10 KB in-band, of raw', 0.5, ratio(large, PLAIN, 'raw')),
    atLeast('fsync over everysec', 0.8, ratio(ejabberd, `${PLAIN} fsync`, PLAIN)),
    atLeast('100,000 routes over 100', 0.9, ratio(ejabberd, 'waybill 100000 routes', 'waybill 100 routes')),
    ...[ejabberd, prosody.inBand].map((result, number) => latency(['ejabberd', 'Prosody'][number], result)),
    atLeast('fan-out 20, ejabberd, of raw', 0.5, ratio(fanned, PLAIN, 'raw')),
    atLeast('fan-out 20, Prosody, of raw', 0.8, ratio(prosodyFanned, PLAIN, 'raw')),
    atLeast('second process, Schematron', 1.6, ratio(large, `${RULES} 2 processes`, RULES)),
    ...failures(results),
  ]
}

/**
 * @param {Result | undefined} result
 * @param {string} one
 * @param {string} other
 */
function ratio(result, one, other) {
  return ratioOf(result?.measurements ?? [], one, other)
}

/** The naive peer knows in-band only. @param {Result | undefined} sealed @param {Result | undefined} inBand */
function across(sealed, inBand) {
  const naive = inBand?.measurements.filter(({ peer }) => peer === 'naive') ?? []
  return ratioOf([...(sealed?.measurements ?? []), ...naive], PLAIN, 'naive')
}

/**
 * @param {string} what
 * @param {number} wanted
 * @param {Spread} found
 * @returns {Goal}
 */
function atLeast(what, wanted, { middle, least, greatest, byCpu }) {
  const isKnown = Number.isFinite(middle)
  const range = isKnown ? ` (${digits(least, 2)} to ${digits(greatest, 2)}, by CPU ${digits(byCpu, 2)})` : ''
  return { text: `${what}: ${digits(middle, 2)}${range}, wanted ${wanted} or more`, met: middle >= wanted }
}

/** @param {string} server @param {Result | undefined} result @returns {Goal} */
function latency(server, result) {
  const line = result && summarise(result).find(({ peer }) => peer === PLAIN)
  const { p50Ms = Number.NaN, p99Ms = Number.NaN } = line?.fixed ?? {}
  const text = `latency at 200 documents/s, ${server}: p50 ${digits(p50Ms, 1)}, p99 ${digits(p99Ms, 1)} ms, wanted 8 and 40 or less`
  return { text, met: p50Ms <= 8 && p99Ms <= 40 && result?.rates === 200 }
}

/** @param {readonly Result[]} results @returns {Goal[]} */
function failures(results) {
  return results.flatMap((result) =>
    summarise(result).map(({ peer, failures: [first] }) => ({
      text: `${result.title}, ${peer}: every document arrives${first === undefined ? '' : ` (${first})`}`,
      met: first === undefined,
    })),
  )
}
