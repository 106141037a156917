import type { Document } from '../domain/document.ts'
import type { DocumentType, SchemaLayer } from '../domain/document-type.ts'
import type { Element } from '../domain/element.ts'
import type { Finding } from '../domain/rejection.ts'
import { type BundleReader, noteReading, onDisk, type SchemaFile } from './bundle-reader.ts'
import { decodeXml } from './encoding.ts'
import { compileJsonSchema } from './json-schema.ts'
import { noLimits } from './limits.ts'
import { lostBindings, SEND_SEALED } from './lost-bindings.ts'
import type { XmlContent } from './parsed.ts'
import { checkProjection } from './projection.ts'
import type { SchemaProblem } from './schema-files.ts'
import { checkRules } from './schematron/check-rules.ts'
import type { QueryBinding } from './schematron/expression.ts'
import { type CompiledSchematron, compileSchematron } from './schematron/schematron.ts'
import { xpath1 } from './schematron/xpath1.ts'
import { createXPath31 } from './schematron/xpath31.ts'
import type { CompiledLayer } from './validate.ts'
import { type Places, parseXml } from './xml.ts'
import { compileXmlSchema, type XmlSchema } from './xml-schema.ts'

/** The layers of all types that are loaded together. */
export interface Layers {
  /** Without `layer` where the schema is wrong. */
  compile(layer: SchemaLayer, type: DocumentType): Promise<CompiledOrNot>
  /** What a layer that was compiled consists of: its first file and all that this one takes in. */
  filesOf(layer: SchemaLayer): readonly SchemaFile[]
  /** Frees all of them; nothing may be asked of them after it. */
  dispose(): void
}

export interface CompiledOrNot {
  readonly layer: CompiledLayer | undefined
  readonly problems: readonly SchemaProblem[]
}

/**
 * @param bundle where the schemas' files are read from
 * @param canTell see {@link compileXmlSchema}
 */
export function createLayers(bundle: BundleReader = onDisk, canTell = true): Layers {
  /** Schemas in XML by their file: types may share one. */
  const schemas = new Map<string, ReturnType<typeof compileXmlSchema>>()
  const rules = new Map<string, Promise<CompiledSchematron>>()
  const xpath31 = createXPath31()
  const bindingOf = (name: string) => queryBinding(name, xpath31)
  const files = new Map<string, readonly SchemaFile[]>()

  async function compile(layer: SchemaLayer, type: DocumentType, reader: BundleReader): Promise<CompiledOrNot> {
    switch (layer.language) {
      case 'xsd':
      case 'rng':
        return compileXml({ ...layer, language: layer.language }, type, schemas, reader, canTell)
      case 'json':
        return type.identify.xml ? compileProjected(layer, reader) : compileJson(layer, reader)
      case 'schematron': {
        const key = `${layer.folder} ${layer.file} ${layer.phase}`
        const made = rules.get(key) ?? compileSchematron(layer, layer.phase, bindingOf, reader)
        rules.set(key, made)
        return rulesLayer(layer, await made)
      }
    }
  }

  return {
    async compile(layer, type) {
      const reader = noteReading(bundle)
      const made = await compile(layer, type, reader)
      // What another type has compiled is not read again.
      if (reader.noted.length > 0) files.set(keyOf(layer), reader.noted)
      return made
    },
    filesOf: (layer) => files.get(keyOf(layer)) ?? [],
    dispose() {
      for (const { schema } of schemas.values()) schema?.dispose()
      schemas.clear()
      rules.clear()
    },
  }
}

function keyOf({ language, folder, file }: SchemaLayer): string {
  return `${language} ${folder} ${file}`
}

// ------------------------------------------------------------------------------------------- XSD and RELAX NG

type XmlLayer = SchemaLayer & { readonly language: 'xsd' | 'rng' }

function compileXml(
  layer: XmlLayer,
  type: DocumentType,
  schemas: Map<string, ReturnType<typeof compileXmlSchema>>,
  bundle: BundleReader,
  canTell: boolean,
): CompiledOrNot {
  const key = keyOf(layer)
  const made = schemas.get(key) ?? compileXmlSchema(layer, bundle, canTell)
  schemas.set(key, made)
  const { schema } = made
  if (!schema) return { layer: undefined, problems: made.problems }
  const problems = [...made.problems, ...unknownRoot(type, schema, layer.file)]
  const isSilentOn = ({ content }: Document) => content.kind === 'xml' && schema.tells(content.root)
  return { layer: { layer, check: (document, of) => checkXml(schema, document, of), isSilentOn }, problems }
}

/** A schema that doesn't declare the root would find every document of the type invalid. */
function unknownRoot({ identify }: DocumentType, schema: XmlSchema, file: string): readonly SchemaProblem[] {
  const match = /^(?:\{([^{}]*)\})?(.+)$/.exec(identify.xml?.root ?? '')
  if (!match || schema.knowsRoot(match[2]!, match[1] ?? '')) return []
  const message = `Cannot check the type: the schema declares no element ${identify.xml!.root}`
  return [{ message, severity: 'error', at: `${file}:1:1` }]
}

function checkXml(schema: XmlSchema, document: Document, type: DocumentType): readonly Finding[] {
  const { content, form } = document
  if (content.kind !== 'xml') return [wrongContent(document, type)]
  const found = schema.validate(document, content, type.namespaces)
  if (form !== 'element' || found.length === 0) return found
  const lost = lostBindings(content.root, type.namespaces)
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

// ------------------------------------------------------------------------------------------------ JSON Schema

async function compileJson(layer: SchemaLayer, bundle: BundleReader): Promise<CompiledOrNot> {
  const { schema, problems } = await compileJsonSchema(layer, {}, bundle)
  if (!schema) return { layer: undefined, problems }
  const check: CompiledLayer['check'] = (document, type) => {
    return document.content.kind === 'json' ? schema.validate(document.content.value) : [wrongContent(document, type)]
  }
  return { layer: { layer, check }, problems }
}

async function compileProjected(layer: SchemaLayer, bundle: BundleReader): Promise<CompiledOrNot> {
  const { schema, problems } = await compileJsonSchema(layer, { values: 'text' }, bundle)
  if (!schema) return { layer: undefined, problems }
  const check: CompiledLayer['check'] = (document, type) => {
    if (document.content.kind !== 'xml') return [wrongContent(document, type)]
    return checkProjection(schema, document.content.root, type.namespaces)
  }
  return { layer: { layer, check }, problems }
}

// ------------------------------------------------------------------------------------------------- Schematron

function queryBinding(name: string, xpath31: QueryBinding): QueryBinding | undefined {
  switch (name) {
    case '':
    case 'xslt':
    case 'xslt1':
    case 'xpath':
    case 'xpath1':
      return xpath1
    case 'xslt2':
    case 'xslt3':
    case 'xpath2':
    case 'xpath3':
    case 'xpath31':
      return xpath31
    default:
      return undefined
  }
}

function rulesLayer(layer: SchemaLayer, { rules, problems }: CompiledSchematron): CompiledOrNot {
  if (!rules) return { layer: undefined, problems }
  const check: CompiledLayer['check'] = (document, type) => {
    const { content } = document
    if (content.kind !== 'xml') return [wrongContent(document, type)]
    return checkRules(rules, content.root, { namespaces: type.namespaces, lineOf: createLineOf(document, content) })
  }
  return { layer: { layer, check }, problems }
}

/** Lines of a sealed document, read when they are first asked for: only what is found needs them. */
function createLineOf({ form, payload }: Document, { root }: XmlContent): (element: Element) => number | undefined {
  let lines: Map<Element, number> | undefined
  if (form !== 'sealed') return () => undefined
  return (element) => {
    lines ??= readLines(payload, root)
    return lines.get(element)
  }
}

function readLines(payload: string | Uint8Array, root: Element): Map<Element, number> {
  const decoded = typeof payload === 'string' ? { kind: 'text' as const, text: payload } : decodeXml(payload)
  const lines = new Map<Element, number>()
  if (decoded.kind !== 'text') return lines
  const places: Places = new Map()
  const parsed = parseXml(decoded.text, noLimits, places)
  // The same document gives the same elements in the same order.
  if (parsed.kind === 'xml') pair(root, parsed.root, (one, same) => lines.set(one, places.get(same)!.line))
  return lines
}

function pair(one: Element, same: Element, visit: (one: Element, same: Element) => void): void {
  visit(one, same)
  for (const [at, child] of one.children.entries()) {
    const twin = same.children[at]
    if (typeof child === 'object' && typeof twin === 'object') pair(child, twin, visit)
  }
}

/** Types and documents are paired by what they are; a pair that isn't one was never checked, which is not valid. */
function wrongContent({ content }: Document, { name }: DocumentType): Finding {
  const message = `The schema of ${name} can't check ${content.kind} content`
  return { layer: 'schema', rule: 'language', severity: 'error', path: '', message }
}
