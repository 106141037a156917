import type { Conditions } from '../../domain/route.ts'
import type { Complain } from '../problem.ts'
import type { Subject } from '../subject.ts'
import type { CompileXPath } from '../xpath.ts'
import { createAccess } from './access.ts'
import { createAtoms, FAILS, TRUE } from './atoms.ts'
import { createAutomaton } from './automaton.ts'
import { createChains } from './chains.ts'
import { createClusters } from './clusters.ts'
import { APART, grown } from './columns.ts'
import { termOf } from './conditions.ts'
import { createConstants } from './constants.ts'
import { createExpressions } from './expressions.ts'
import { hashOfText } from './hashes.ts'
import { createNames } from './names.ts'
import type { Operand } from './operands.ts'
import { createPaths } from './paths.ts'
import { createReading } from './reading.ts'
import { createSources } from './sources.ts'
import { createTerms } from './terms.ts'
import { createVerdicts, type Verdict } from './verdicts.ts'

/**
 * Conditions by the hundred thousand, asked of a document all at once: one way through its tree finds the atoms that hold, the atoms
 * find the few entries that may match, and those alone are asked.
 *
 * Entries are added and removed unseen, and come into force all together: a change is `add` and `remove`, then `publish`, then
 * `sweep` until there is no more, and documents may come at any time between.
 */
export interface RouteIndex<Item extends Named> {
  /** The new entry, not in force yet; undefined where the conditions have errors, which are complained of. */
  add(item: Item, when: Conditions, complain: Complain): number | undefined
  /** No longer in force from the next `publish` on. */
  remove(entry: number): void
  /** The entry of that name, as it will be after `publish`. */
  find(name: string): number | undefined
  publish(): void
  /** Forgets removed entries, at most so many; true where there are more. */
  sweep(most: number): boolean
  at(entry: number): Item
  /** All in force. */
  items(): Iterable<Item>
  /** A document comes: gives the entries that may match it, until the next one. No entry twice. */
  candidates(subject: Subject): readonly number[]
  /** Whether a candidate matches the document in hand. */
  verdict(entry: number): Verdict
  /** Entries in force that are asked of every document. */
  scanned(): readonly Item[]
}

export interface Named {
  readonly name: string
}

// In force.
const LIVE = 1
// In force from `publish` on, and until then.
const JOINING = 2
const LEAVING = 3
// Never came into force.
const DROPPED = 4

export function createRouteIndex<Item extends Named>(compileXPath: CompileXPath): RouteIndex<Item> {
  const operands: Operand[] = []
  const constants = createConstants()
  const names = createNames()
  const paths = createPaths(names, operands, (place) => automaton.forget(place))
  const automaton = createAutomaton(paths.root, names, operands)
  const expressions = createExpressions(compileXPath)
  const atoms = createAtoms({
    constants,
    operandAt: (id) => operands[id]!,
    onNeed,
    releaseExpression: (id) => expressions.release(id),
  })
  const terms = createTerms(atoms)
  const sources = createSources(operands)
  const access = createAccess(atoms, constants, operands)
  const clusters = createClusters(atoms, constants, operands, onNeed)
  const reading = createReading(atoms, constants, names, automaton, forgetEpochs)
  let subject: Subject | undefined
  const verdicts = createVerdicts(atoms, constants, operands, reading, isThere, (id) =>
    expressions.ask(id, subject!.content),
  )
  const needs = { atoms, constants, terms, paths, sources, expressions }

  const items: (Item | undefined)[] = []
  let conditions = new Int32Array(64)
  let mark = new Uint8Array(64)
  let asked = new Int32Array(64)
  let nameHashes = new Int32Array(64)
  const byName = createChains((entry) => nameHashes[entry]!)
  let isPublished = false
  const free: number[] = []
  /** Entries that join or leave. */
  const changing: number[] = []
  const candidates: number[] = []

  function onNeed(operand: Operand): void {
    if (operand.kind === 'path') automaton.forget(paths.placeOf(operand))
  }

  function isThere(operand: Operand): boolean {
    const place = paths.elementsOf(operand)
    return place ? automaton.isReached(place, reading.epoch()) : operand.met === reading.epoch()
  }

  function forgetEpochs(): void {
    atoms.stamp.fill(0)
    asked.fill(0)
    for (const operand of operands) {
      operand.met = 0
      operand.epoch = 0
      operand.numbersEpoch = 0
    }
    automaton.forgetAll()
  }

  function slot(): number {
    const entry = free.pop() ?? items.length
    conditions = grown(conditions, entry + 1)
    mark = grown(mark, entry + 1 + APART)
    asked = grown(asked, entry + 1 + 2 * APART)
    nameHashes = grown(nameHashes, entry + 1 + 3 * APART)
    return entry
  }

  function forget(entry: number): void {
    clusters.remove(entry)
    terms.release(conditions[entry]!)
    byName.remove(entry, nameHashes[entry]!)
    items[entry] = undefined
    mark[entry] = 0
    free.push(entry)
  }

  function isCalled(entry: number, name: string): boolean {
    return mark[entry]! <= JOINING && items[entry]!.name === name
  }

  function isInForce(entry: number): boolean {
    const one = mark[entry]
    return one === LIVE || one === (isPublished ? JOINING : LEAVING)
  }

  return {
    add(item, when, complain) {
      let isSound = true
      const term = termOf(when, needs, (code, path, message, severity = 'error') => {
        if (severity === 'error') isSound = false
        complain(code, path, message, severity)
      })
      if (!isSound) {
        terms.release(term)
        return undefined
      }
      const entry = slot()
      items[entry] = item
      conditions[entry] = term
      mark[entry] = JOINING
      changing.push(entry)
      nameHashes[entry] = hashOfName(item.name)
      byName.add(entry, nameHashes[entry]!)
      if (term === FAILS) return entry
      for (const atom of access.to(term)) clusters.add(atom, entry)
      return entry
    },
    remove(entry) {
      if (mark[entry] === JOINING) mark[entry] = DROPPED
      else {
        mark[entry] = LEAVING
        changing.push(entry)
      }
    },
    find(name) {
      const hash = hashOfName(name)
      let entry = byName.first(hash)
      while (entry >= 0 && !(nameHashes[entry] === hash && isCalled(entry, name))) entry = byName.next[entry]!
      return entry < 0 ? undefined : entry
    },
    publish() {
      isPublished = true
    },
    sweep(most) {
      for (let count = 0; count < most; count++) {
        const entry = changing.pop()
        if (entry === undefined) {
          isPublished = false
          return false
        }
        if (mark[entry] === JOINING) mark[entry] = LIVE
        else forget(entry)
      }
      return true
    },
    at: (entry) => items[entry]!,
    *items() {
      for (let entry = 0; entry < items.length; entry++)
        if (items[entry] !== undefined && isInForce(entry)) yield items[entry]!
    },
    candidates(given) {
      subject = given
      candidates.length = 0
      reading.begin()
      sources.read(given, reading.readScalars)
      if (given.content.kind === 'xml') reading.readTree(given.content.root)
      const epoch = reading.epoch()
      const { cluster } = atoms
      const { slots, next } = clusters
      for (let at = -1; at < reading.hits.length; at++) {
        const atom = at < 0 ? TRUE : reading.hits[at]!
        for (let one = cluster[atom]!; one >= 0; one = next[one]!) {
          const entry = slots[one]!
          if (asked[entry] === epoch) continue
          asked[entry] = epoch
          if (mark[entry] === LIVE || isInForce(entry)) candidates.push(entry)
        }
      }
      return candidates
    },
    verdict: (entry) => verdicts.on(conditions[entry]!),
    scanned() {
      const found: Item[] = []
      clusters.each(TRUE, (entry) => {
        if (isInForce(entry)) found.push(items[entry]!)
      })
      return found
    },
  }
}

function hashOfName(name: string): number {
  return hashOfText(name, 0, name.length)
}
