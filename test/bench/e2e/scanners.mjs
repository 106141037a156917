import { DESTINATION } from './configuration.mjs'

/** A start tag with its attributes, and the two ends of a document, are never further apart. */
const HEAD_BYTES = 4_096

/**
 * Finds the start tags of iqs in what comes back to the sender.
 * @param {(id: string, error: string) => void} onReply `error`: the beginning of the error stanza, or ''
 */
export function makeReplyScanner(onReply) {
  let rest = ''
  return (/** @type {string} */ text) => {
    rest += text
    let at = 0
    for (let start = rest.indexOf('<iq '); start >= 0; start = rest.indexOf('<iq ', at)) {
      const end = rest.indexOf('>', start)
      if (end < 0) break
      at = end
      const tag = rest.slice(start, end)
      const id = /\sid=['"]([^'"]+)/.exec(tag)
      if (id !== null) onReply(id[1], /\stype=['"]error/.test(tag) ? rest.slice(start, start + 600) : '')
    }
    const unfinished = rest.indexOf('<iq ', at)
    rest = unfinished >= 0 ? rest.slice(unfinished) : rest.slice(Math.max(at, rest.length - 3))
  }
}

/**
 * Finds the marks of documents in whatever reaches the receiver, and which destination was meant: the one that is named last before.
 * @param {() => { mark: string, length: number, sequenceOf: (text: string) => number }} marks that count just now
 * @param {(sequence: number, destination: number) => void} onArrival
 */
export function makeArrivalScanner(marks, onArrival) {
  let rest = ''
  return (/** @type {string} */ text) => {
    rest += text
    const { mark, length, sequenceOf } = marks()
    let at = 0
    for (let found = rest.indexOf(mark); found >= 0; found = rest.indexOf(mark, at)) {
      const from = found + mark.length
      if (from + length > rest.length) break
      at = from + length
      const named = rest.lastIndexOf(DESTINATION, found)
      onArrival(
        sequenceOf(rest.slice(from, at)),
        Number.parseInt(rest.slice(named + DESTINATION.length, named + 8), 10),
      )
    }
    rest = rest.slice(Math.max(at, rest.length - HEAD_BYTES))
  }
}
