import type { Document } from '../domain/document.ts'
import type { SchemaSource } from '../domain/document-type.ts'
import type { Element } from '../domain/element.ts'
import type { Finding } from '../domain/rejection.ts'
import { type BundleReader, onDisk } from './bundle-reader.ts'
import { findingsOf } from './findings.ts'
import { freeTree, parseTree, type Report } from './libxml2.ts'
import { type CompiledSchema, compileSchema, freeSchema, validateTree } from './libxml2-schemas.ts'
import { sentTree, type XmlContent } from './parsed.ts'
import { fileBehind, readSchemaFiles, type SchemaProblem } from './schema-files.ts'
import { compileQuickYes, type QuickYes } from './xsd/quick-yes.ts'
import { readXsdSchema } from './xsd/read-schema.ts'

export interface XmlSchema {
  /** All findings; empty where the document is valid. */
  validate(document: Document, content: XmlContent, namespaces: Readonly<Record<string, string>>): readonly Finding[]
  /** Whether the document is valid beyond doubt; false leaves it open. */
  tells(root: Element): boolean
  /** Whether a document with this root could be valid at all; always true where the language can't tell. */
  knowsRoot(name: string, uri: string): boolean
  /** The first of what is wrong with a document in UTF-8; undefined where it is valid. */
  refusalOf(bytes: Uint8Array): string | undefined
  dispose(): void
}

export type XmlSchemaSource = SchemaSource & { readonly language: 'xsd' | 'rng' }

/**
 * Compiles an XSD 1.0 or RELAX NG schema with all its files. Without `schema` where it is wrong.
 *
 * @param canTell false where documents come without an element tree: it would be made for the look alone
 */
export function compileXmlSchema(
  source: XmlSchemaSource,
  bundle: BundleReader = onDisk,
  canTell = true,
): {
  readonly schema: XmlSchema | undefined
  readonly problems: readonly SchemaProblem[]
} {
  const { files, problems, url } = readSchemaFiles(source, bundle)
  if (problems.length > 0) return { schema: undefined, problems }
  const { tree } = parseTree(files.get(decodeURI(url))!, { entities: true, url })
  // It was parsed a moment ago.
  if (!tree) throw new Error(`Cannot compile ${source.file}: libxml2 failed to parse it again`)
  const { compiled, report } = compileSchema(source.language, tree, files)
  if (!compiled) {
    freeTree(tree)
    const reasons = problemsOf(report, source)
    return { schema: undefined, problems: reasons.length > 0 ? reasons : [unexplained(source)] }
  }
  const quickYes = canTell && source.language === 'xsd' ? quickYesOf({ files, url }) : undefined
  return { schema: schemaOf(compiled, quickYes), problems: problemsOf(report, source) }
}

/** Undefined as well where types are derived from one another so often that following them runs out of stack. */
export function quickYesOf(files: Parameters<typeof readXsdSchema>[0]): QuickYes | undefined {
  try {
    return compileQuickYes(readXsdSchema(files))
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function problemsOf({ errors }: Report, source: XmlSchemaSource): readonly SchemaProblem[] {
  return errors.map(({ message, warning, file, line, column }): SchemaProblem => {
    const at = `${fileBehind(file, source)}:${Math.max(1, line)}:${Math.max(1, column)}`
    return { message: `Cannot compile the schema: ${message.trim()}`, severity: warning ? 'warning' : 'error', at }
  })
}

function unexplained({ file }: XmlSchemaSource): SchemaProblem {
  return { message: 'Cannot compile the schema: libxml2 refuses it', severity: 'error', at: `${file}:1:1` }
}

function schemaOf(compiled: CompiledSchema, quickYes: QuickYes | undefined): XmlSchema {
  const tells = (root: Element) => quickYes?.(root) ?? false
  return {
    tells,
    validate: (document, content, namespaces) =>
      tells(content.root) ? [] : validate(compiled, document, content, namespaces),
    knowsRoot: (name, uri) => compiled.language === 'rng' || declaresRoot(compiled, name, uri),
    refusalOf: (bytes) => refusalOf(compiled, bytes),
    dispose: () => freeSchema(compiled),
  }
}

function validate(
  compiled: CompiledSchema,
  document: Document,
  content: XmlContent,
  namespaces: Readonly<Record<string, string>>,
): readonly Finding[] {
  const sealed = document.form === 'sealed'
  const sent = sentTree(document, content)
  // The element tree is made when it is first asked for, where it isn't there: of a valid document never.
  const view = () => ({ root: content.root, namespaces, withLines: sealed })
  if (!sent.tree) return findingsOf(sent.report, { ...view(), layer: 'xml' })
  const { valid, report } = validateTree(compiled, sent.tree)
  return valid ? [] : findingsOf(report, { ...view(), layer: compiled.language })
}

/** XSD: `cvc-elt.1`, no declaration for the root. */
const NO_DECLARATION = 1845

function declaresRoot(compiled: CompiledSchema, name: string, uri: string): boolean {
  const { tree } = parseTree(
    Buffer.from(`<${name} xmlns="${uri.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}"/>`),
  )
  if (!tree) return false
  const { report } = validateTree(compiled, tree)
  freeTree(tree)
  return !report.errors.some((error) => error.code === NO_DECLARATION)
}

function refusalOf(compiled: CompiledSchema, bytes: Uint8Array): string | undefined {
  const parsed = parseTree(bytes)
  if (!parsed.tree) return parsed.report.errors[0]?.message.trim() ?? 'it is no XML'
  const { valid, report } = validateTree(compiled, parsed.tree)
  freeTree(parsed.tree)
  return valid ? undefined : (report.errors[0]?.message.trim() ?? 'it is not valid')
}
