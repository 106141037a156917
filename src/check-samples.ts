import { setImmediate } from 'node:timers/promises'
import { LineCounter, parseDocument } from 'yaml'
import type { Configuration, Problem } from './config/configuration.ts'
import type { Sample } from './config/samples.ts'
import { type CompiledDocuments, type DocumentLimits, parseDocumentFile } from './documents/documents.ts'
import { typeKey } from './domain/document-type.ts'
import type { Finding } from './domain/rejection.ts'

type Sound = Pick<Configuration, 'types' | 'samples' | 'locate'>

/**
 * A sample that isn't a valid document of its own type and version would mislead whoever goes by it. One after the other, with a pause between
 * them for documents that are under way.
 *
 * @param compiled Whether the type can be validated at all: what is wrong with it otherwise is told elsewhere.
 */
export async function checkSamples(
  { types, samples, locate }: Sound,
  documents: CompiledDocuments,
  limits: DocumentLimits,
  compiled: (key: string) => boolean,
): Promise<readonly Problem[]> {
  const problems: Problem[] = []
  for (const type of types) {
    const key = typeKey(type)
    const sample = samples.get(key)
    if (!sample || !compiled(key)) continue
    await setImmediate()
    const complain = (message: string, place: Place = locate('DocumentType', key, ['sample'])) =>
      problems.push({ ...place, code: 'sample-invalid', severity: 'error', message: `type ${key}: ${message}` })
    const parsed = parseDocumentFile(sample.content, sample.name, limits)
    if (parsed.kind === 'rejected') {
      const { text, findings } = parsed.rejection
      complain(`the sample can't be read: ${text}`, placeOf(findings[0], sample))
      continue
    }
    const identified = documents.identify(parsed.document, type.version === '' ? undefined : type.version)
    if (identified.kind !== 'type' || typeKey(identified.type) !== key) {
      const why = identified.kind === 'rejected' ? identified.rejection.text : 'it is recognised as something else'
      complain(`the sample ${sample.file} is no document of the type: ${why}`)
      continue
    }
    for (const finding of documents.validate(parsed.document, type).findings) {
      if (finding.severity !== 'error') continue
      const where = finding.path === '' ? '' : ` (at ${finding.path})`
      complain(`the sample is not valid: ${finding.message}${where}`, placeOf(finding, sample))
    }
  }
  return problems
}

type Place = Pick<Problem, 'file' | 'line' | 'column'>

function placeOf(finding: Finding | undefined, sample: Sample): Place {
  const { line, column } = finding ?? {}
  if (line !== undefined) return { file: sample.file, line, column: column ?? 1 }
  return { file: sample.file, ...placeInJson(finding?.path ?? '', sample.content) }
}

/** Of what stands at a JSON Pointer, or of the nearest place around it that is there; 1:1 for anything but JSON. */
function placeInJson(pointer: string, content: Uint8Array): Pick<Place, 'line' | 'column'> {
  const start = { line: 1, column: 1 }
  if (!pointer.startsWith('/')) return start
  const counter = new LineCounter()
  const document = parseDocument(new TextDecoder().decode(content), { lineCounter: counter })
  // YAML has all of JSON in it; an XPath begins with a slash too, and then this finds nothing.
  const steps = pointer
    .slice(1)
    .split('/')
    .map((step) => step.replace(/~1/g, '/').replace(/~0/g, '~'))
  for (let length = steps.length; length > 0; length--) {
    const node = document.getIn(steps.slice(0, length), true) as
      | { range?: readonly [number, number, number] }
      | undefined
    if (!node?.range) continue
    const { line, col } = counter.linePos(node.range[0])
    return { line, column: col }
  }
  return start
}
