import type { Fields } from '../domain/fields.ts'
import { fingerprintOf, normaliseCause } from '../domain/fingerprint.ts'
import type { DeadFilter, DeadGroup, DeadLetter, Store } from '../flow/ports.ts'
import type { Call } from './calls.ts'
import { type Facts, type Meta, parseRecords, type ReplacementMeta, type Sum } from './records.ts'

/** How many dead letters a script looks at before others have their turn. */
const PART = 500
const LIMIT = 1_000

/** Looking for dead letters, one by one or by cause. */
export function createDeadLetters(call: Call): Pick<Store, 'dead' | 'deadGroups'> {
  async function* find(filter: DeadFilter): AsyncGenerator<DeadLetter> {
    const { sinceMs = '-inf', untilMs = '+inf' } = filter
    let before = new Set<string>()
    for (let offset = 0; ; offset += PART) {
      const args = [offset, PART, sinceMs, untilMs]
      const rows = (await call('dead', args, { repeatable: true })) as unknown[][]
      const letters = rows.map(parseDeadLetter)
      for (const letter of letters) if (!before.has(letter.id) && fits(letter, filter)) yield letter
      if (rows.length < PART) return
      // What has died meanwhile moves the end of this part into the next one.
      before = new Set(letters.map(({ id }) => id))
    }
  }

  return {
    async dead(filter) {
      const limit = filter.limit ?? LIMIT
      const letters: DeadLetter[] = []
      if (limit <= 0) return letters
      for await (const letter of find(filter)) {
        letters.push(letter)
        if (letters.length >= limit) break
      }
      return letters
    },

    async deadGroups(filter) {
      const groups = new Map<string, DeadGroup>()
      for await (const letter of find(filter))
        groups.set(letter.fingerprint, joined(groups.get(letter.fingerprint), letter))
      return [...groups.values()].sort((one, other) => other.count - one.count || other.lastDiedAtMs - one.lastDiedAtMs)
    },
  }
}

/** Letters come newest first. */
function joined(group: DeadGroup | undefined, letter: DeadLetter): DeadGroup {
  const { diedAtMs, fingerprint, id } = letter
  if (group) return { ...group, count: group.count + 1, firstDiedAtMs: diedAtMs }
  return {
    fingerprint,
    count: 1,
    cause: normaliseCause(letter),
    firstDiedAtMs: diedAtMs,
    lastDiedAtMs: diedAtMs,
    example: id,
  }
}

/** One row of dead.lua. */
export function parseDeadLetter(row: readonly unknown[]): DeadLetter {
  const [id, sumText, metaText, factsText, last, other] = row.map(String) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  const sum = JSON.parse(sumText) as Sum
  const meta = JSON.parse(metaText) as Meta
  const facts = factsText === '' ? undefined : (JSON.parse(factsText) as Facts)
  const { fields } = other === '' ? meta : (JSON.parse(other) as ReplacementMeta)
  const [record] = parseRecords(last)
  const letter = {
    id,
    envelopeId: id.split('.')[0]!,
    type: sum.type,
    from: meta.origin.from,
    route: facts?.route ?? '',
    destination: facts?.to ?? '',
    reason: facts?.reason ?? sum.reason ?? '',
    diedAtMs: facts?.ended ?? sum.ended ?? 0,
    tries: facts?.tries ?? 0,
    condition: record?.result ?? '',
    text: record === undefined ? '' : (record.text ?? record.result),
    fields,
  }
  return { ...letter, fingerprint: fingerprintOf(letter) }
}

/** `from` fits the full JID or its bare one; everything else fits exactly. */
export function fits(letter: DeadLetter, filter: DeadFilter): boolean {
  const same = (wanted: string | undefined, found: string) => wanted === undefined || wanted === found
  if (!same(filter.type, letter.type) || !same(filter.route, letter.route)) return false
  if (!same(filter.destination, letter.destination) || !same(filter.reason, letter.reason)) return false
  if (!same(filter.group, letter.fingerprint)) return false
  return hasFields(letter.fields, filter.fields) && isFrom(letter.from, filter.from)
}

/** One of the values of each field that is asked for, as text. */
export function hasFields(fields: Fields, asked: DeadFilter['fields'] = {}): boolean {
  const valuesOf = (name: string) => (Object.hasOwn(fields, name) ? fields[name]! : [])
  return Object.entries(asked).every(([name, value]) => valuesOf(name).some((one) => String(one) === value))
}

/** The full JID or its bare one. */
export function isFrom(from: string, asked: string | undefined): boolean {
  return asked === undefined || from === asked || from.startsWith(`${asked}/`)
}
