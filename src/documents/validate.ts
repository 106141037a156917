import type { Document } from '../domain/document.ts'
import type { DocumentType, SchemaLayer } from '../domain/document-type.ts'
import type { Finding } from '../domain/rejection.ts'
import type { CheckedLayers, Validation } from '../flow/ports.ts'
import type { FieldsReader } from './fields.ts'
import { lostBindings } from './lost-bindings.ts'

/** A type made ready: its layers compiled, its fields readable. */
export interface CompiledType {
  readonly type: DocumentType
  /** In the order in which they are asked. */
  readonly layers: readonly CompiledLayer[]
  readonly read: FieldsReader
}

export interface CompiledLayer {
  readonly layer: SchemaLayer
  /** All findings; empty where the layer has nothing to say. */
  check(document: Document, type: DocumentType): readonly Finding[]
  /** Whether the layer surely has nothing to say, told in a time that the document's size bounds. Absent: never. */
  isSilentOn?(document: Document): boolean
}

/** Checks the document and, unless it is rejected, reads its fields. */
export function validate(compiled: CompiledType, document: Document): Validation {
  return complete(compiled, document, check(compiled, document))
}

/** Whether nothing is found in the document, where that can be told without asking the layers. */
export function isPlainlyValid({ layers }: CompiledType, document: Document): boolean {
  return layers.length > 0 && layers.every((layer) => layer.isSilentOn?.(document) ?? false)
}

/** What is left to do when the layers were asked, here or elsewhere. */
export function complete(
  compiled: CompiledType,
  document: Document,
  { findings, failedAs }: CheckedLayers,
): Validation {
  if (failedAs === 'reject') return { findings, fields: {}, onInvalid: 'reject' }
  const onInvalid = failedAs !== undefined && failedAs !== 'warn' ? { onInvalid: failedAs } : {}
  const read = compiled.read(document.content)
  const all = read.findings.length === 0 ? findings : [...findings, ...read.findings]
  const failed = read.findings.some(({ severity }) => severity === 'error')
  return { findings: all, fields: failed ? {} : read.fields, ...onInvalid }
}

/** Asks the layers; of the document's content they look only at what they need. */
export function check({ layers, type }: CompiledType, document: Document): CheckedLayers {
  if (layers.length === 0) return { findings: unchecked(document, type), failedAs: undefined }
  let findings: readonly Finding[] = []
  for (const compiled of layers) {
    const found = asTheLayerSays(compiled, compiled.check(document, type))
    findings = findings.length === 0 ? found : [...findings, ...found]
    if (found.some(({ severity }) => severity === 'error')) return { findings, failedAs: compiled.layer.onInvalid }
  }
  return { findings, failedAs: undefined }
}

/** Without a schema nobody depends on a name whose binding was lost. */
function unchecked({ form, content }: Document, { namespaces }: DocumentType): readonly Finding[] {
  if (content.kind !== 'xml' || form !== 'element') return []
  return lostBindings(content.root, namespaces).map((finding) => ({ ...finding, severity: 'warning' }))
}

function asTheLayerSays({ layer }: CompiledLayer, found: readonly Finding[]): readonly Finding[] {
  if (layer.onInvalid !== 'warn') return found
  return found.map((finding) => (finding.severity === 'error' ? { ...finding, severity: 'warning' } : finding))
}
