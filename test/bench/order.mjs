import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runnerImport } from 'vite'
import { build } from '../../deploy/setup/packages.mjs'
import { ensurePrograms, PROGRAMS } from '../../deploy/setup/programs.mjs'
import { watchCpu } from './cpu.mjs'

/**
 * What order costs, on real servers: how fast one key goes, by message and by iq, and what the other keys lose while documents wait
 * behind one that is refused.
 *
 * @typedef {{ documentsPerSecond: number, cpuMicroseconds: number }} Measured  CPU of Waybill and Redis for each document
 * @typedef {{ round: number } & Record<typeof NAMES[number], Measured>} Cell
 */

export const OPTIONS = /** @type {const} */ ({
  server: { type: 'string', default: 'prosody' },
  rounds: { type: 'string' },
  documents: { type: 'string' },
  stuck: { type: 'string', default: '1000' },
})

export const HELP = `  --server NAME    prosody or ejabberd
  --rounds N       (3; 1 with --quick)
  --documents N    of each measurement (1000; 300 with --quick)
  --stuck N        how many wait behind the one that is refused (1000)`

const NAMES = /** @type {const} */ (['oneByMessage', 'oneByIq', 'others', 'besideStuck'])
const TYPES = `kind: DocumentType
name: order
identify: { xml: { root: "{urn:example:order}order" } }
namespaces: { o: "urn:example:order" }
schema: none
fields: { way: { xpath: "/o:order/o:way" } }
`
const ROUTES = `kind: Route
name: message
when: { type: order, fields: { way: message } }
deliver: [{ jid: message@other.example.test }]
order: { by: sender }
---
kind: Route
name: iq
when: { type: order, fields: { way: iq } }
deliver: [{ jid: desk@other.example.test/iq, confirm: iq, retry: patient }]
order: { by: sender }
---
kind: Policy
name: patient
deliveries: 1000
backoff: { first: 1s, factor: 1, max: 1s, jitter: 0.2 }
giveUpAfter: 1h
`
const LIMITS = { waiting: 1_000_000, perSender: { perMinute: 10_000_000, waiting: 1_000_000 } }

/** @param {{ values: Record<string, string | boolean | undefined>, quick: boolean, closing: ReturnType<typeof import('./closing.mjs').makeClosing> }} run */
export async function run({ values, quick, closing }) {
  const plan = planOf(values, quick)
  const at = await installWaybill(plan.kind, closing)
  const ends = connectEnds(at)
  closing.add(async () => ends.stop())
  const senders = Array.from({ length: 50 }, (_, n) => `s${n}`)
  await ends.measure('iq', senders, plan.documents)
  /** @type {Cell[]} */
  const cells = []
  for (let round = 1; round <= plan.rounds; round += 1) {
    const oneByMessage = await ends.measure('message', ['hot'], plan.documents)
    const oneByIq = await ends.measure('iq', ['hot'], plan.documents)
    const others = await ends.measure('iq', senders, 2 * plan.documents)
    await ends.holdBack(plan.stuck)
    const besideStuck = await ends.measure('iq', senders, 2 * plan.documents)
    await ends.letGo()
    cells.push({ round, oneByMessage, oneByIq, others, besideStuck })
    console.error(`round ${round} of ${plan.rounds}`)
  }
  const summary = summarise(cells)
  console.table(summary)
  return { cells, summary, goals: [goalOf(summary)] }
}

/**
 * @param {Record<string, string | boolean | undefined>} values
 * @param {boolean} quick
 */
function planOf({ server, rounds, documents, stuck }, quick) {
  if (server !== 'prosody' && server !== 'ejabberd')
    throw new RangeError(`Cannot read --server: "${server}" is none of prosody,ejabberd`)
  return {
    kind: server,
    rounds: positive('rounds', rounds ?? (quick ? 1 : 3)),
    documents: positive('documents', documents ?? (quick ? 300 : 1_000)),
    stuck: positive('stuck', stuck),
  }
}

/** @param {string} option @param {unknown} text */
function positive(option, text) {
  if (!(Number(text) > 0)) throw new RangeError(`Cannot read --${option}: "${text}" is no positive number`)
  return Number(text)
}

/** @param {'prosody' | 'ejabberd'} kind @param {ReturnType<typeof import('./closing.mjs').makeClosing>} closing */
async function installWaybill(kind, closing) {
  await ensurePrograms([PROGRAMS.redis, PROGRAMS[kind]])
  const root = fileURLToPath(new URL('../..', import.meta.url))
  await build(root)
  const options = /** @type {const} */ ({ root, configFile: false, logLevel: 'silent' })
  const { module } = await runnerImport(`${root}test/scenarios/waybill.ts`, options)
  const { install } = /** @type {typeof import('../scenarios/waybill.ts')} */ (module)
  const config = configFolder()
  closing.add(async () => rmSync(config, { recursive: true, force: true }))
  const at = await install({ kind, config, settings: { limits: LIMITS } })
  closing.add(() => at.stop())
  return at
}

/** @param {Cell[]} cells */
function summarise(cells) {
  const of = (/** @type {typeof NAMES[number]} */ name) => ({
    documentsPerSecond: Math.round(median(cells.map((cell) => cell[name].documentsPerSecond))),
    cpuMicroseconds: Math.round(median(cells.map((cell) => cell[name].cpuMicroseconds))),
  })
  return /** @type {Record<typeof NAMES[number], Measured>} */ (
    Object.fromEntries(NAMES.map((name) => [name, of(name)]))
  )
}

/**
 * By work rather than by the clock, which on a busy machine tells of others.
 * @param {ReturnType<typeof summarise>} summary
 */
function goalOf({ others, besideStuck }) {
  const more = besideStuck.cpuMicroseconds / others.cpuMicroseconds - 1
  return {
    text: `other keys cost less than 5 % more beside one that is stuck: ${(more * 100).toFixed(1)} %`,
    met: more < 0.05,
  }
}

function configFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-bench-order-'))
  for (const [name, text] of Object.entries({ types: TYPES, routes: ROUTES })) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, `${name}.yaml`), text)
  }
  return folder
}

/** @param {import('../scenarios/waybill.ts').Installation} at */
function connectEnds(at) {
  let sent = 0
  let arrived = 0
  let answered = 0
  let isHolding = false
  const seen = { other: 0, peer: 0 }
  const timer = setInterval(() => {
    for (; seen.peer < at.peer.received.length; seen.peer += 1) answered += 1
    for (; seen.other < at.other.received.length; seen.other += 1)
      take(/** @type {string} */ (at.other.received[seen.other]))
  }, 1)

  /** @param {string} stanza */
  function take(stanza) {
    if (!stanza.startsWith('<iq')) {
      arrived += 1
      return
    }
    const [, id] = /\sid=["'](.*?)["']/.exec(stanza) ?? []
    const names = `id='${id}' from='desk@other.example.test/iq' to='waybill.example.test'`
    if (isHolding && /by[^>]*>stuck</.test(stanza)) {
      const error = `<error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`
      at.other.send(`<iq type='error' ${names}>${error}</iq>`)
      return
    }
    arrived += 1
    at.other.send(`<iq type='result' ${names}/>`)
  }

  /** @param {() => boolean} holds */
  const until = async (holds) => {
    const deadline = performance.now() + 120_000
    while (!holds()) {
      if (performance.now() > deadline)
        throw new Error(`Cannot measure: ${arrived} arrived, ${answered} of ${sent} answered`)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }

  /** @param {'message' | 'iq'} way @param {string[]} senders @param {number} count */
  async function send(way, senders, count) {
    for (let n = 0; n < count; n += 1) {
      const by = senders[n % senders.length]
      const document = `<order xmlns='urn:example:order'><way>${way}</way><by>${by}</by></order>`
      at.peer.send(
        `<iq type='set' id='b${sent}' from='${by}@peer.example.test/x' to='waybill.example.test'>${document}</iq>`,
      )
      sent += 1
      if (n % 100 === 99) await until(() => sent - answered < 400)
    }
    await until(() => answered >= sent)
  }

  return {
    /** The first of so many of one sender is refused for a while. */
    async holdBack(/** @type {number} */ count) {
      isHolding = true
      await send('iq', ['stuck'], count)
    },
    async letGo() {
      isHolding = false
      await until(() => arrived >= sent)
    },
    /**
     * @param {'message' | 'iq'} way
     * @param {string[]} senders
     * @param {number} count
     * @returns {Promise<Measured>}
     */
    async measure(way, senders, count) {
      const before = arrived
      const cpuSince = watchCpu({ waybill: at.waybill.pid, redis: at.redis.pid })
      const from = performance.now()
      await send(way, senders, count)
      await until(() => arrived - before >= count)
      const documentsPerSecond = (count * 1_000) / (performance.now() - from)
      const used = Object.values(cpuSince()).reduce((sum, one) => sum + one, 0)
      return { documentsPerSecond, cpuMicroseconds: (used * 1e6) / count }
    },
    stop: () => clearInterval(timer),
  }
}

/** @param {number[]} numbers */
function median(numbers) {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0
}
