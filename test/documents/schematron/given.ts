import { compileDocuments } from '../../../src/documents/documents.ts'
import type { DocumentsProblem } from '../../../src/documents/documents-problem.ts'
import type { SchemaLayer } from '../../../src/domain/document-type.ts'
import type { Finding } from '../../../src/domain/rejection.ts'
import { bundle, inBand, limits, sealed, typeOf } from '../given.ts'

export const NAMESPACE = 'xmlns="http://purl.oclc.org/dsdl/schematron"'

/** A schema of one file. */
export function schema(content: string, attributes = 'queryBinding="xslt2"'): string {
  return `<schema ${NAMESPACE} ${attributes}>\n<ns prefix="o" uri="urn:order"/>\n${content}\n</schema>`
}

export function rulesLayer(
  content: string | Readonly<Record<string, string>>,
  more: Partial<SchemaLayer> = {},
): SchemaLayer {
  return bundle('schematron', typeof content === 'string' ? { 'rules.sch': content } : content, more)
}

/** What the rules find in an order. */
export async function findingsOf(
  layers: SchemaLayer | readonly SchemaLayer[],
  xml: string,
  form: 'in-band' | 'sealed' = 'in-band',
): Promise<readonly Finding[]> {
  const type = typeOf('order', { layers: [layers].flat(), namespaces: { o: 'urn:order' } })
  const { documents, problems } = await compileDocuments([type], limits)
  if (problems.length > 0) throw new Error(problems.map(({ at, message }) => `${at} ${message}`).join('\n'))
  const document = form === 'sealed' ? sealed(documents, xml) : inBand(documents, xml)
  const { findings } = documents.validate(document, type)
  documents.dispose()
  return findings
}

/** What is wrong with the rules, with places told by file name. */
export async function problemsOf(
  layer: SchemaLayer,
): Promise<readonly (Pick<DocumentsProblem, 'message' | 'severity'> & { readonly at: string })[]> {
  const { documents, problems } = await compileDocuments([typeOf('order', { schema: layer })], limits)
  documents.dispose()
  return problems.map(({ at = '', message, severity }) => {
    return { at: at.replace(`${layer.folder}/`, ''), message, severity }
  })
}
