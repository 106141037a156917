/**
 * How many documents a second go from their text to the verdict: in one process without worker threads, and in one, two of them. Each
 * worker loads libxml2 and compiles the schemas for itself. In: `{ name, seed, durationMs }`; out: a {@link Throughput} or `{ failed }`.
 *
 * @typedef {{ name: string, durationMs: number, none: Rate, one: Rate, two: Rate }} Throughput
 * @typedef {{ perSecond: number, perCpuSecond: number }} Rate documents a second on the clock, and a second of CPU time
 */
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { caseNamed } from './cases.mjs'
import { judge, openRoom, stanzaOf } from './room.mjs'

const WARM_UP_MS = 500

if (isMainThread) {
  process.on('message', (message) => {
    measureThreads(/** @type {any} */ (message)).then(
      (result) => process.send?.(result),
      (error) => process.send?.({ failed: error instanceof Error ? error.message : String(error) }),
    )
  })
  process.on('disconnect', () => process.exit(0))
} else {
  const work = await prepare(workerData)
  work(WARM_UP_MS)
  parentPort?.on('message', (durationMs) => parentPort?.postMessage(work(durationMs)))
  parentPort?.postMessage('ready')
}

/** @param {{ name: string, seed: number, durationMs: number }} order */
async function measureThreads({ name, seed, durationMs }) {
  const work = await prepare({ name, seed })
  work(WARM_UP_MS)
  const none = await rateOf(async () => work(durationMs))
  const one = await rateOfWorkers(1, { name, seed }, durationMs)
  const two = await rateOfWorkers(2, { name, seed }, durationMs)
  return { name, durationMs, none, one, two }
}

/**
 * @param {{ name: string, seed: number }} which
 * @returns {Promise<(durationMs: number) => number>} judges documents for so long and says how many
 */
async function prepare({ name, seed }) {
  const given = caseNamed(name, seed)
  if (!given) throw new Error(`Cannot measure threads: the documents of ${name} are not here`)
  const { type, texts, carrier } = given
  const room = await openRoom([type])
  return (durationMs) => {
    const until = performance.now() + durationMs
    let count = 0
    for (; performance.now() < until; count += 1) {
      if (!judge(room, stanzaOf(carrier, texts[count % texts.length])))
        throw new Error('Cannot measure threads: a valid document was found invalid')
    }
    return count
  }
}

/**
 * @param {number} count
 * @param {{ name: string, seed: number }} which
 * @param {number} durationMs
 */
async function rateOfWorkers(count, which, durationMs) {
  const workers = Array.from({ length: count }, () => new Worker(fileURLToPath(import.meta.url), { workerData: which }))
  try {
    await Promise.all(workers.map(answerOf))
    return await rateOf(async () => {
      const answers = workers.map(answerOf)
      for (const worker of workers) worker.postMessage(durationMs)
      return (await Promise.all(answers)).reduce((sum, each) => sum + Number(each), 0)
    })
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}

/** @param {Worker} worker */
function answerOf(worker) {
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('message', (answer) => {
      worker.off('error', reject)
      resolve(answer)
    })
  })
}

/** @param {() => Promise<number>} run */
async function rateOf(run) {
  const begun = performance.now()
  const used = process.cpuUsage()
  const count = await run()
  const { user, system } = process.cpuUsage(used)
  return { perSecond: (count * 1e3) / (performance.now() - begun), perCpuSecond: (count * 1e6) / (user + system) }
}
