/** What came of a document, compared with what was declared. */

/**
 * @typedef {object} Outcome
 * @property {ReturnType<typeof import('./clients.mjs').answerTo> | undefined} answer undefined: there was none
 * @property {number} answeredMs
 * @property {ReadonlyMap<string, number>} places place to milliseconds after the sending
 */

/** Places where the document must be seen: receivers and nodes, and the alarm where a delivery is given up. */
export function expectedPlaces({ expected }) {
  return [...(expected.at ?? []), ...(expected.givenUpAt ?? []).map((name) => `alarm ${name}`)]
}

/**
 * @param {import('./documents.mjs').DemoDocument} document
 * @param {Outcome} outcome
 * @returns {string[]} what differs; empty where all is as declared
 */
export function differences(document, { answer, places }) {
  if (!answer) return ['no answer']
  const { expected } = document
  if ('rejected' in expected) return rejectionDifferences(expected, answer)
  if (answer.kind === 'rejected') return [`rejected (${answer.reason}), declared accepted`]
  const differing = []
  if (answer.type !== expected.accepted) differing.push(`accepted as ${answer.type}, declared ${expected.accepted}`)
  if (answer.duplicate !== (expected.duplicate ?? false)) {
    differing.push(answer.duplicate ? 'called a duplicate, declared new' : 'called new, declared a duplicate')
  }
  // A duplicate shares the id, and so the places, of the first.
  if (expected.duplicate) return differing
  const declared = expectedPlaces(document)
  for (const place of declared) if (!places.has(place)) differing.push(`not seen at: ${place}`)
  for (const place of places.keys())
    if (!declared.includes(place)) differing.push(`seen, but not declared, at: ${place}`)
  return differing
}

function rejectionDifferences(expected, answer) {
  if (answer.kind === 'accepted') return [`accepted, declared rejected (${expected.rejected})`]
  if (answer.reason !== expected.rejected) return [`rejected (${answer.reason}), declared ${expected.rejected}`]
  const least = expected.findings ?? 0
  return answer.findings < least ? [`${answer.findings} findings, declared at least ${least}`] : []
}
