import type { SchemaSource } from '../../domain/document-type.ts'
import { compileJsonSchema } from '../json-schema.ts'
import { compileXmlSchema } from '../xml-schema.ts'
import { NotComparable } from './not-comparable.ts'

/** A document that was accepted once. */
export interface KeptDocument {
  /** What people find it by: an envelope id, a file's path. */
  readonly name: string
  /** Bare JID of its sender, where it is known. */
  readonly from: string | undefined
  /** UTF-8. */
  readonly bytes: Uint8Array
}

export interface RefusedDocument {
  readonly name: string
  readonly from: string | undefined
  /** The first of what is wrong with it. */
  readonly refusal: string
}

/**
 * Which documents a schema refuses, and whose they are: what a new version would break.
 *
 * @throws {NotComparable} Where the schema is wrong.
 */
export async function findRefused(
  schema: SchemaSource,
  documents: Iterable<KeptDocument> | AsyncIterable<KeptDocument>,
): Promise<{ readonly asked: number; readonly refused: readonly RefusedDocument[] }> {
  const { refusalOf, dispose } = await judgeOf(schema)
  const refused: RefusedDocument[] = []
  let asked = 0
  try {
    for await (const { name, from, bytes } of documents) {
      asked += 1
      const refusal = refusalOf(bytes)
      if (refusal !== undefined) refused.push({ name, from, refusal })
    }
  } finally {
    dispose()
  }
  return { asked, refused }
}

interface Judge {
  refusalOf(bytes: Uint8Array): string | undefined
  dispose(): void
}

async function judgeOf(source: SchemaSource): Promise<Judge> {
  const { language } = source
  if (language === 'xsd' || language === 'rng') {
    const { schema, problems } = compileXmlSchema({ ...source, language })
    if (!schema) throw new NotComparable(problems)
    return schema
  }
  if (language === 'schematron')
    throw new NotComparable([
      { message: 'Cannot try documents: rules alone are no schema', severity: 'error', at: `${source.file}:1:1` },
    ])
  const { schema, problems } = await compileJsonSchema(source)
  if (!schema) throw new NotComparable(problems)
  return { refusalOf: (bytes) => refusalOfJson(schema, bytes), dispose: () => {} }
}

function refusalOfJson(
  schema: { validate(value: never): readonly { path: string; message: string }[] },
  bytes: Uint8Array,
) {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(bytes))
  } catch (error) {
    return `it is no JSON: ${(error as Error).message}`
  }
  const [first] = schema.validate(value as never)
  return first && `${first.path || '/'}: ${first.message}`
}
