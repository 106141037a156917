import { fileURLToPath } from 'node:url'
import { build } from '../../deploy/setup/packages.mjs'
import { ensurePrograms, PROGRAMS } from '../../deploy/setup/programs.mjs'
import { checkedGroups, chosenGroups, LISTS, PEERS, suitsNaive, titleOf, wordOf } from './e2e/cells.mjs'
import { goalsOf } from './e2e/goals.mjs'
import { measureGroup } from './e2e/measure.mjs'
import { printCosts, printGoals, printGroup } from './e2e/table.mjs'
import { loadServers } from './servers.mjs'

/**
 * Documents through a real XMPP server, a peer and a real Redis: Waybill, the naive peer and the raw pass-through on the same servers, all
 * of them up at the same time and measured in turns. A measurement fails where a document doesn't arrive.
 */

/** Less than ten minutes and less than one, by what a round and a start may take longer than expected. No situation is begun behind them. */
const CHECK_SECONDS = 520
const QUICK_SECONDS = 45

export const OPTIONS = /** @type {const} */ ({
  ...Object.fromEntries(Object.keys(LISTS).map((option) => [option, { type: 'string' }])),
  peers: { type: 'string', default: PEERS.join() },
  only: { type: 'string' },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  rate: { type: 'string' },
  profile: { type: 'string' },
})

export const HELP = `
Every combination of these lists is measured, unless --check takes its twelve cells:
  --servers LIST        of prosody, ejabberd (both)
  --settings LIST       of the servers: usual; advised, with what deploy/ advises and leaves to whoever runs them (usual)
  --sizes LIST          of 1k, 10k, 100k (1k)
  --carriages LIST      of in-band, sealed (in-band)
  --fan-outs LIST       destinations of each document, up to 31 (1)
  --targets LIST        of jid; node, which keeps 20 items; passing-node, which keeps none (jid)
  --senders LIST        addresses that send in turn (100)
  --routes LIST         of Waybill, of which one matches (1000)
  --durabilities LIST   of everysec, fsync (everysec)
  --schemas LIST        of xsd; schematron, which is XSD and Schematron (xsd)
  --domains LIST        of Waybill, shared by as many processes; senders write to them in turns (1)
  --processes LIST      for each domain, which one of them holds (1)

  --peers LIST          of raw, naive, waybill (all)
  --only TEXT           of those combinations, or of --check, the situations whose title holds it: ejabberd, sealed, "20 jids"
  --rounds N            of each peer (5; 3 with --check; 1 with --quick)
  --seconds N           of sending at full speed in each round (3; 0.7 with --quick)
  --rate N              documents a second of a further measurement of latency (200)
  --profile DIR         has Node write a CPU profile of each peer into DIR`

/**
 * @param {{ values: Record<string, string | boolean | undefined>, seed: number, quick: boolean, closing: ReturnType<typeof import('./closing.mjs').makeClosing> }} run
 */
export async function run({ values, seed, quick, closing }) {
  const plan = planOf(values, quick)
  const kinds = [...new Set(plan.groups.map(({ situation }) => situation.server))]
  await ensurePrograms([PROGRAMS.redis, ...kinds.map((kind) => PROGRAMS[kind])])
  if (plan.peers.includes('waybill')) await build(fileURLToPath(new URL('../..', import.meta.url)))
  const { startRedis, startXmppServer, processes } = await loadServers()
  const redis = await startRedis()
  closing.add(() => redis.stop())
  const fsyncRedis = await startRedis({ config: { appendfsync: 'always' } })
  closing.add(() => fsyncRedis.stop())
  const results = []
  const begun = performance.now()
  for (const [number, group] of plan.groups.entries()) {
    const leftSeconds = plan.longestSeconds - (performance.now() - begun) / 1000
    if (leftSeconds < 0) {
      console.error(`${titleOf(group.situation)}: not measured, ${plan.longestSeconds} s are over`)
      continue
    }
    const roundsUntil = performance.now() + shareOf(plan, number, leftSeconds) * 1000
    const surroundings = { startXmppServer, processes, redis, fsyncRedis, plan, roundsUntil, seed, closing }
    const result = await measureGroup(group, surroundings)
    printGroup(result)
    results.push(result)
  }
  printCosts(results)
  const goals = goalsOf(results)
  if (values.check) printGoals(goals)
  return { groups: results, goals }
}

/**
 * The time that is left is divided by the peers that are left: on a slow machine there are fewer rounds, at least one.
 * @param {ReturnType<typeof planOf>} plan
 * @param {number} number of the group
 * @param {number} leftSeconds
 */
function shareOf({ groups, longestSeconds }, number, leftSeconds) {
  if (longestSeconds === Number.POSITIVE_INFINITY) return longestSeconds
  const weights = groups.slice(number).map((group) => group.variants.length + (suitsNaive(group) ? 2 : 1))
  return (leftSeconds * (weights[0] ?? 1)) / weights.reduce((sum, weight) => sum + weight, 0)
}

/**
 * @param {Record<string, string | boolean | undefined>} values
 * @param {boolean} quick
 */
function planOf(values, quick) {
  const isFixed = values.check === true && Object.keys(LISTS).every((option) => values[option] === undefined)
  const wanted = isFixed ? checkedGroups() : chosenGroups(values)
  const groups = wanted.filter(({ situation }) => titleOf(situation).includes(String(values.only ?? '')))
  if (groups.length === 0) throw new RangeError(`Cannot find a situation: "${values.only}" is in none of their titles`)
  return {
    groups,
    peers: String(values.peers)
      .split(',')
      .map((peer) => wordOf('peers', peer, PEERS)),
    rounds: positive('rounds', values.rounds, roundsOf(isFixed, quick)),
    seconds: positive('seconds', values.seconds, quick ? 0.7 : 3),
    ratePerSecond: positive('rate', values.rate, 200),
    warmUpSeconds: quick ? 0.2 : 2.5,
    latencySeconds: quick ? 0.7 : 3,
    drainSeconds: quick ? 15 : 30,
    longestSeconds: longestOf(values.check === true, quick),
    profileFolder: values.profile === undefined ? undefined : String(values.profile),
  }
}

/** @param {boolean} check @param {boolean} quick */
function longestOf(check, quick) {
  if (quick) return QUICK_SECONDS
  return check ? CHECK_SECONDS : Number.POSITIVE_INFINITY
}

/** @param {boolean} isFixed @param {boolean} quick */
function roundsOf(isFixed, quick) {
  if (quick) return 1
  return isFixed ? 3 : 5
}

/**
 * @param {string} option
 * @param {unknown} text
 * @param {number} otherwise
 */
function positive(option, text, otherwise) {
  if (text === undefined) return otherwise
  if (!(Number(text) > 0)) throw new RangeError(`Cannot read --${option}: "${text}" is no positive number`)
  return Number(text)
}
