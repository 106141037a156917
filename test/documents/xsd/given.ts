import { BUNDLE, type SchemaFiles } from '../../../src/documents/schema-files.ts'
import type { XsdSchema } from '../../../src/documents/xsd/components.ts'
import { readXsdSchema } from '../../../src/documents/xsd/read-schema.ts'

/** The files of a schema: what stands in each, and the attributes of its root. The first one is where it begins. */
export function xsd(
  files: Readonly<Record<string, readonly [content: string, attributes: string]>>,
): Pick<SchemaFiles, 'files' | 'url'> {
  const texts = Object.entries(files).map(([path, [content, attributes]]) => {
    const text = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" ${attributes}>${content}</xs:schema>`
    return [BUNDLE + path, new TextEncoder().encode(text)] as const
  })
  return { files: new Map(texts), url: texts[0]![0] }
}

/** A schema of one file, without a namespace. */
export function schemaOf(content: string): XsdSchema {
  return readXsdSchema(xsd({ 'a.xsd': [content, ''] }))
}
