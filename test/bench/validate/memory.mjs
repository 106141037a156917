/**
 * Memory while documents go by, no two alike, valid and damaged ones, by XSD and RELAX NG in turn. In: `{ documents, seed }`; out: a
 * {@link Memory} or `{ failed }`.
 *
 * @typedef {{ heap: number, libxml2: number, resident: number }} Bytes in use after collections; libxml2's own; of the process
 * @typedef {{ documents: number, invalid: number, warmUp: number, after: Bytes[], growthOfHeap: number, growthOfLibxml2: number }} Memory
 * `after` every 10,000 documents; growth in bytes for 10,000 documents, behind the warm-up
 */
import { memoryBytes } from '../../../dist/documents/libxml2.js'
import { random } from '../documents.mjs'
import { usedBytes } from '../match/measuring.mjs'
import { caseNamed, damagedOrders, orders } from './cases.mjs'
import { judge, openRoom, stanzaOf } from './room.mjs'

const STEP = 10_000
/** Code is compiled, and libxml2 takes the pages that it needs. */
const WARM_UP_STEPS = 2
const BATCH = 100
const LINES = 3
const DAMAGED_ONE_IN = 5

process.on('message', (message) => {
  measureMemory(/** @type {any} */ (message)).then(
    (result) => process.send?.(result),
    (error) => process.send?.({ failed: error instanceof Error ? error.message : String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))

/** @param {{ documents: number, seed: number }} order */
async function measureMemory({ documents, seed }) {
  const rooms = await openRooms(seed)
  const next = random(seed)
  /** @type {Bytes[]} */
  const after = []
  let invalid = 0
  for (let done = 0; done < documents; done += BATCH) {
    for (const [at, text] of orders(LINES, BATCH, Math.floor(next() * 2 ** 32)).entries()) {
      const damaged = at % DAMAGED_ONE_IN === 0
      const judged = damaged ? damagedOrders(text)[(at / DAMAGED_ONE_IN) % 4] : text
      const { carrier, room } = rooms[at % rooms.length]
      if (judge(room, stanzaOf(carrier, judged)) === damaged)
        throw new Error(`Cannot go on: document ${done + at} was ${damaged ? 'damaged' : 'valid'}, the verdict differs`)
      if (damaged) invalid += 1
    }
    if ((done + BATCH) % STEP === 0) after.push(readBytes())
  }
  const warm = after.slice(WARM_UP_STEPS)
  const growth = (/** @type {keyof Bytes} */ of) => slopeOf(warm.map((bytes) => bytes[of]))
  const warmUp = WARM_UP_STEPS * STEP
  return { documents, invalid, warmUp, after, growthOfHeap: growth('heap'), growthOfLibxml2: growth('libxml2') }
}

/** @param {number} seed */
async function openRooms(seed) {
  const names = ['order, 1 KB, XSD', 'order, 10 KB, RELAX NG']
  return Promise.all(
    names.map(async (name) => {
      const { type, carrier } = /** @type {import('./cases.mjs').Case} */ (caseNamed(name, seed))
      return { carrier, room: await openRoom([type]) }
    }),
  )
}

function readBytes() {
  return { heap: usedBytes(), libxml2: memoryBytes(), resident: process.memoryUsage().rss }
}

/** Of the line through the values that fits best. @param {readonly number[]} values */
function slopeOf(values) {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const spread = values.reduce((sum, _, at) => sum + (at - middle) ** 2, 0)
  return values.reduce((sum, value, at) => sum + (at - middle) * (value - mean), 0) / spread
}
