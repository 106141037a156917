import { createHash } from 'node:crypto'
import { relative } from 'node:path'
import type { DocumentType } from '../../domain/document-type.ts'
import type { CheckAnswer } from '../../flow/ports.ts'
import { digestOfKept, type ReadFiles } from '../bundle-reader.ts'
import type { DocumentLimits } from '../limits.ts'

/** What checkers are made for: the types of one configuration, with the files that their schemas were compiled from. */
export interface CheckedSet {
  readonly types: readonly DocumentType[]
  readonly limits: DocumentLimits
  readonly files: ReadFiles
}

/**
 * Two processes with the same one find the same in every document, wherever their folders lie.
 *
 * @param program what else decides: the version of the program
 */
export function digestOfSet({ types, limits, files }: CheckedSet, program: string): string {
  const { documentBytes, depth, attributes, nameLength } = limits
  const named = types.map(({ layers, ...type }) => {
    return [type, layers.map((layer) => ({ ...layer, file: relative(layer.folder, layer.file), folder: '' }))]
  })
  const folders = types.flatMap(({ layers }) => layers.map(({ folder }) => folder))
  return createHash('sha256')
    .update(JSON.stringify([program, documentBytes, depth, attributes, nameLength, named]))
    .update(digestOfKept(folders, files))
    .digest('hex')
}

/** What a checking thread is given at its start. */
export interface ThreadData extends CheckedSet {
  /** Keys of the types to be compiled before it is ready; the others are when they are asked for. */
  readonly first: readonly string[]
}

/** What a checking thread tells. The clock of a document stops while its type is compiled. */
export type ThreadMessage =
  | { readonly kind: 'ready'; readonly thread: string | undefined }
  | { readonly kind: 'compiling' | 'compiled' }
  | CheckAnswer
