/**
 * One case in a process of its own. In: `{ name, seed, pace, quick }`; out: a {@link Result}, `{ absent }` or `{ failed }`.
 *
 * @typedef {import('../match/measuring.mjs').Timing} Timing
 * @typedef {{
 *   name: string, bytes: number, failure: string, judged: number,
 *   parse: Timing, both: Timing, room: Timing,  // parse-only; parse + room; extract + identify + validate from the stanza's tree
 *   alone?: Timing, xmllint?: import('./xmllint.mjs').Xmllint,
 * }} Result
 */
import { measure } from '../match/measuring.mjs'
import { compileAlone } from './alone.mjs'
import { caseNamed } from './cases.mjs'
import { judge, openRoom, parse, payloadOf, stanzaOf } from './room.mjs'
import { measureXmllint, xmllintSays } from './xmllint.mjs'

process.on('message', (message) => {
  measureCell(/** @type {any} */ (message)).then(
    (result) => process.send?.(result),
    (error) => process.send?.({ failed: error instanceof Error ? error.message : String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))

/** @param {{ name: string, seed: number, pace: import('../match/measuring.mjs').Pace, quick: boolean }} order */
async function measureCell({ name, seed, pace, quick }) {
  const given = caseNamed(name, seed)
  if (!given) return { absent: true }
  const { carrier, texts, type, language, schemaFile } = given
  const room = await openRoom([type])
  const stanzas = texts.map((text) => stanzaOf(carrier, text))
  const payloads = stanzas.map((stanza) => payloadOf(room, stanza))
  const isXml = language === 'xsd' || language === 'rng'
  const alone = isXml ? compileAlone(language, schemaFile) : undefined
  const verdicts = compareVerdicts(given, room, payloads, alone)
  const parseOnly = carrier === 'xml' ? parse : JSON.parse
  return {
    name,
    bytes: payloads.reduce((sum, { length }) => sum + length, 0) / payloads.length,
    ...verdicts,
    parse: measure(texts, (text) => (parseOnly(text) ? 1 : 0), pace),
    both: measure(texts, (text) => Number(judge(room, stanzaOf(carrier, text))), pace),
    ...measureTwice(
      (slice) => measure(stanzas, (stanza) => Number(judge(room, stanza)), slice),
      alone && ((slice) => measure(payloads, (bytes) => Number(alone(bytes)), slice)),
      pace,
    ),
    ...(isXml ? { xmllint: measureXmllint(language, schemaFile, payloads[0].toString(), quick) } : {}),
  }
}

/**
 * The two whose ratio is the goal, in turn: what disturbs the machine for a while disturbs both.
 *
 * @param {(pace: import('../match/measuring.mjs').Pace) => Timing} room
 * @param {((pace: import('../match/measuring.mjs').Pace) => Timing) | undefined} alone
 * @param {import('../match/measuring.mjs').Pace} pace
 */
function measureTwice(room, alone, pace) {
  if (!alone) return { room: room(pace) }
  const turns = Array.from({ length: 3 }, () => ({ room: room(pace), alone: alone(pace) }))
  turns.sort((one, other) => ratioOf(one) - ratioOf(other))
  return turns[1]
}

/** @param {{ room: Timing, alone: Timing }} turn */
function ratioOf({ room, alone }) {
  return room.medianUs / alone.medianUs
}

/**
 * What is valid is valid and what was damaged is not, for the room and for everybody it is compared with.
 *
 * @param {import('./cases.mjs').Case} given
 * @param {import('./room.mjs').Room} room
 * @param {readonly Buffer[]} payloads
 * @param {((bytes: Uint8Array) => boolean) | undefined} alone
 */
function compareVerdicts({ carrier, texts, damaged, language, schemaFile }, room, payloads, alone) {
  const valid = texts.map((text, at) => ({ text, bytes: payloads[at], wanted: true }))
  const invalid = damaged.map((text) => ({ text, bytes: Buffer.from(text), wanted: false }))
  const all = [...valid, ...invalid]
  for (const { text, bytes, wanted } of all) {
    const said = { room: judge(room, stanzaOf(carrier, text)), ...(alone ? { 'libxml2-wasm': alone(bytes) } : {}) }
    const wrong = Object.entries(said).find(([, verdict]) => verdict !== wanted)
    if (wrong) return { judged: 0, failure: `${wrong[0]} finds a document ${wanted ? 'in' : ''}valid that is not` }
  }
  if (alone && damaged.some((text) => xmllintSays(/** @type {'xsd' | 'rng'} */ (language), schemaFile, text)))
    return { judged: 0, failure: 'xmllint finds a damaged document valid' }
  return { judged: all.length, failure: '' }
}
