import type { SchemaSource } from '../../domain/document-type.ts'
import { didYouMean } from '../../domain/nearest.ts'
import { readSchemaFiles } from '../schema-files.ts'
import { compileXmlSchema, type XmlSchema } from '../xml-schema.ts'
import type { Name, XsdSchema } from '../xsd/components.ts'
import { readXsdSchema } from '../xsd/read-schema.ts'
import { type CompareOptions, compareTypes, type Suspicion } from './compare-types.ts'
import { NotComparable } from './not-comparable.ts'
import { writeSample } from './sample-text.ts'
import type { Difference, Verdict, Witness } from './verdict.ts'

/** Compares two XML Schemas; a difference counts when libxml2 accepts a document by the one and refuses it by the other. */
export function compareXsd(old: SchemaSource, next: SchemaSource, options: CompareOptions): Verdict {
  const validators = [old, next].map((source) => compiled(source, 'xsd'))
  try {
    const models = [modelOf(old), modelOf(next)] as const
    for (const root of options.roots ?? []) complainOfRoot(root, models, old.file)
    const { suspicions } = compareTypes(...models, options)
    return judge(suspicions, validators[0]!, validators[1]!, options.budgetMs)
  } finally {
    for (const validator of validators) validator.dispose()
  }
}

/** Of documents that neither version knows anything would be true. */
function complainOfRoot(root: Name, models: readonly XsdSchema[], file: string): void {
  if (models.some(({ elements }) => elements.has(root))) return
  const known = models.flatMap(({ elements }) => [...elements.keys()])
  const message = `Cannot compare documents with the root ${root}: neither version declares it${didYouMean(root, known)}`
  throw new NotComparable([{ message, severity: 'error', at: `${file}:1:1` }])
}

function compiled(source: SchemaSource, language: 'xsd' | 'rng'): XmlSchema {
  const { schema, problems } = compileXmlSchema({ ...source, language })
  if (!schema) throw new NotComparable(problems)
  return schema
}

function modelOf(source: SchemaSource): XsdSchema {
  return readXsdSchema(readSchemaFiles({ ...source, language: 'xsd' }))
}

const REASONS_AT_MOST = 20

function judge(suspicions: readonly Suspicion[], old: XmlSchema, next: XmlSchema, budgetMs: number): Verdict {
  if (suspicions.length === 0) return { kind: 'compatible' }
  const endMs = performance.now() + budgetMs
  for (const suspicion of suspicions) {
    const witness = witnessOf(suspicion, old, next)
    if (witness) {
      const others = suspicions.filter((one) => one !== suspicion).slice(0, REASONS_AT_MOST)
      return { kind: 'incompatible', witness, others: others.map(differenceOf) }
    }
    if (performance.now() > endMs) break
  }
  return { kind: 'unknown', reasons: suspicions.slice(0, REASONS_AT_MOST).map(differenceOf) }
}

function differenceOf({ path, message, old, new: next }: Difference): Difference {
  return { path, message, old, new: next }
}

function witnessOf(suspicion: Suspicion, old: XmlSchema, next: XmlSchema): Witness | undefined {
  for (const make of suspicion.samples) {
    const sample = make()
    if (!sample) continue
    const document = writeSample(sample)
    const bytes = Buffer.from(document)
    if (old.refusalOf(bytes) !== undefined) continue
    const refusal = next.refusalOf(bytes)
    if (refusal === undefined) continue
    return { ...differenceOf(suspicion), document, mediaType: 'application/xml', refusal }
  }
  return undefined
}
