import type { Document } from '../domain/document.ts'
import type { DocumentType } from '../domain/document-type.ts'
import type { Finding } from '../domain/rejection.ts'
import type { Validation } from '../flow/ports.ts'
import type { FieldsReader } from './fields.ts'
import type { JsonSchema } from './json-schema.ts'
import { lostBindings, SEND_SEALED } from './lost-bindings.ts'
import type { XmlContent } from './parsed.ts'
import type { XmlSchema } from './xml-schema.ts'

/** A type made ready: its schema compiled, its fields readable. */
export interface CompiledType {
  readonly type: DocumentType
  readonly schema:
    | { readonly kind: 'xml'; readonly schema: XmlSchema }
    | { readonly kind: 'json'; readonly schema: JsonSchema }
    /** The type is recognised only. */
    | { readonly kind: 'none' }
  readonly read: FieldsReader
}

/** Checks the document and, where it is valid, reads its fields. */
export function validate(compiled: CompiledType, document: Document): Validation {
  const findings = check(compiled, document)
  if (findings.some(({ severity }) => severity === 'error')) return { findings, fields: {} }
  const read = compiled.read(document.content)
  const all = read.findings.length === 0 ? findings : [...findings, ...read.findings]
  const failed = read.findings.some(({ severity }) => severity === 'error')
  return { findings: all, fields: failed ? {} : read.fields }
}

function check(compiled: CompiledType, document: Document): readonly Finding[] {
  const { schema, type } = compiled
  const { content } = document
  if (content.kind === 'xml') return checkXml(compiled, document, content)
  if (schema.kind === 'none') return []
  if (schema.kind === 'json' && content.kind === 'json') return schema.schema.validate(content.value)
  // Types and documents are paired by what they are; a pair that isn't one was never checked, which is not valid.
  const message = `The schema of ${type.name} can't check ${content.kind} content`
  return [{ layer: 'schema', rule: 'language', severity: 'error', path: '', message }]
}

function checkXml({ schema, type }: CompiledType, document: Document, content: XmlContent): readonly Finding[] {
  const lost = document.form === 'element' ? lostBindings(content.root, type.namespaces) : []
  // Without a schema nobody depends on the name.
  if (schema.kind === 'none') return lost.map((finding) => ({ ...finding, severity: 'warning' }))
  if (schema.kind !== 'xml')
    return [
      { layer: 'schema', rule: 'language', severity: 'error', path: '', message: 'A JSON Schema can’t check XML' },
    ]
  const found = schema.schema.validate(document, content, type.namespaces)
  if (document.form !== 'element' || found.length === 0) return found
  return [...lost, ...found.filter((finding) => !isUnresolved(finding) || lost.length === 0).map(withAdvice)]
}

function isUnresolved({ message }: Finding): boolean {
  return message.includes('has no corresponding namespace declaration in scope')
}

/** A QName in content that can't be resolved, or that is no valid value for want of its prefix's declaration. */
function withAdvice(finding: Finding): Finding {
  const isName = isUnresolved(finding) || /'xs:(?:QName|NOTATION)'/.test(finding.message)
  return isName ? { ...finding, message: `${finding.message.replace(/\.$/, '')}: ${SEND_SEALED}` } : finding
}
