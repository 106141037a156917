import {
  xmlRelaxNGFree,
  xmlRelaxNGFreeParserCtxt,
  xmlRelaxNGFreeValidCtxt,
  xmlRelaxNGNewDocParserCtxt,
  xmlRelaxNGNewValidCtxt,
  xmlRelaxNGParse,
  xmlRelaxNGSetParserStructuredErrors,
  xmlRelaxNGSetValidStructuredErrors,
  xmlRelaxNGValidateDoc,
  xmlSchemaFree,
  xmlSchemaFreeParserCtxt,
  xmlSchemaFreeValidCtxt,
  xmlSchemaNewDocParserCtxt,
  xmlSchemaNewValidCtxt,
  xmlSchemaParse,
  xmlSchemaSetParserStructuredErrors,
  xmlSchemaSetValidStructuredErrors,
  xmlSchemaValidateDoc,
} from 'libxml2-wasm/lib/libxml2.mjs'
import { collecting, collector, freeTree, type Report, type Tree, withFiles } from './libxml2.ts'

/** libxml2's schemas: XSD 1.0 and RELAX NG, compiled and asked. Everything here must be freed by its caller. */

export interface CompiledSchema {
  readonly language: 'xsd' | 'rng'
  readonly schema: number
  /** The state of one validation after the other by XSD; 0 where it is still to be made. */
  validation: number
  /** Parts of the schema may point into it. */
  readonly tree: Tree
}

/**
 * @param files What the schema may include, by name.
 * @returns Without `compiled` where the schema is wrong; then the caller frees the tree. Otherwise it goes with the schema.
 */
export function compileSchema(
  language: 'xsd' | 'rng',
  tree: Tree,
  files: ReadonlyMap<string, Uint8Array>,
): { readonly compiled: CompiledSchema | undefined; readonly report: Report } {
  const compile = () => (language === 'xsd' ? compileXsd(tree) : compileRng(tree))
  const { result: schema, report } = withFiles(files, () => collecting(compile))
  return { compiled: schema === 0 ? undefined : { language, schema, validation: 0, tree }, report }
}

function compileXsd(tree: Tree): number {
  const parser = xmlSchemaNewDocParserCtxt(tree.document)
  xmlSchemaSetParserStructuredErrors(parser, collector, 0)
  const schema = xmlSchemaParse(parser)
  xmlSchemaFreeParserCtxt(parser)
  return schema
}

function compileRng(tree: Tree): number {
  const parser = xmlRelaxNGNewDocParserCtxt(tree.document)
  xmlRelaxNGSetParserStructuredErrors(parser, collector, 0)
  const schema = xmlRelaxNGParse(parser)
  xmlRelaxNGFreeParserCtxt(parser)
  return schema
}

export function freeSchema(compiled: CompiledSchema): void {
  const { language, schema, tree } = compiled
  forgetValidation(compiled)
  if (language === 'xsd') xmlSchemaFree(schema)
  else xmlRelaxNGFree(schema)
  freeTree(tree)
}

/** Valid only where it says so: what the library can't judge is not valid. */
export function validateTree(
  compiled: CompiledSchema,
  tree: Tree,
): { readonly valid: boolean; readonly report: Report } {
  const { result, report } = collecting(() =>
    compiled.language === 'xsd' ? validateByXsd(compiled, tree) : validateByRng(compiled.schema, tree),
  )
  const valid = result === 0 && !report.errors.some((error) => !error.warning)
  // Nothing of a bad document is to touch the next.
  if (!valid) forgetValidation(compiled)
  return { valid, report }
}

function validateByXsd(compiled: CompiledSchema, tree: Tree): number {
  if (compiled.validation === 0) {
    compiled.validation = xmlSchemaNewValidCtxt(compiled.schema)
    xmlSchemaSetValidStructuredErrors(compiled.validation, collector, 0)
  }
  return xmlSchemaValidateDoc(compiled.validation, tree.document)
}

function forgetValidation(compiled: CompiledSchema): void {
  if (compiled.validation !== 0) xmlSchemaFreeValidCtxt(compiled.validation)
  compiled.validation = 0
}

function validateByRng(schema: number, tree: Tree): number {
  const validation = xmlRelaxNGNewValidCtxt(schema)
  xmlRelaxNGSetValidStructuredErrors(validation, collector, 0)
  const result = xmlRelaxNGValidateDoc(validation, tree.document)
  xmlRelaxNGFreeValidCtxt(validation)
  return result
}
