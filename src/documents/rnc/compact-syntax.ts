import { readDeclarations } from './declarations.ts'
import { readMember, readPattern, startsPattern } from './patterns.ts'
import { createReader, current, type Reader, skipAnnotations, unexpected } from './reader.ts'
import { node, type RngNode, writeRng } from './rng.ts'

const RNG_NAMESPACE = 'http://relaxng.org/ns/structure/1.0'

/**
 * A schema in RELAX NG's compact syntax (ISO/IEC 19757-2, Annex C) as one in the XML syntax, which libxml2 reads. What it includes
 * keeps its name: it is found and read in turn. Annotations are left out, lines stay where they are.
 *
 * @throws RncProblem
 */
export function compactToXml(text: string): string {
  const reader = createReader(text)
  readDeclarations(reader)
  const root = readTop(reader)
  return writeRng({ ...root, attributes: { xmlns: RNG_NAMESPACE, ...prefixes(reader), ...root.attributes }, line: 1 })
}

function readTop(reader: Reader): RngNode {
  const start = reader.at
  skipAnnotations(reader)
  if (startsPattern(reader)) {
    const pattern = readPattern(reader)
    if (current(reader).kind !== 'end') throw unexpected(reader, 'the end')
    return pattern
  }
  reader.at = start
  const members: RngNode[] = []
  while (current(reader).kind !== 'end') members.push(...readMember(reader))
  return node('grammar', { line: 1 }, {}, members)
}

/** For values of type QName. */
function prefixes({ namespaces }: Reader): Readonly<Record<string, string>> {
  const bound = [...namespaces].filter(
    ([prefix, uri]) => prefix !== '' && prefix !== 'xml' && uri !== undefined && uri !== '',
  )
  return Object.fromEntries(bound.map(([prefix, uri]) => [`xmlns:${prefix}`, uri!]))
}
