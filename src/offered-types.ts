import { dirname, relative, sep } from 'node:path'
import type { Configuration } from './config/configuration.ts'
import type { CompiledDocuments, SchemaFile } from './documents/documents.ts'
import { type DocumentType, typeKey } from './domain/document-type.ts'
import type { OfferedFile, OfferedType } from './domain/offered-type.ts'

/** What senders may read of each type: exactly the files that its schema was compiled from, as they were then. */
export function offeredTypes(
  { types, samples }: Pick<Configuration, 'types' | 'samples'>,
  documents: Pick<CompiledDocuments, 'filesOf'>,
): readonly OfferedType[] {
  return types.map((type) => {
    const { nameOf, files } = namedFiles(type, documents.filesOf(type))
    return {
      type,
      layers: type.layers.map(({ language, file, onInvalid, phase }) => {
        return { language, file: nameOf(file), onInvalid, phase }
      }),
      files,
      sample: samples.get(typeKey(type)),
    }
  })
}

/** Names begin where the folders of the layers part, so that none of them says more than the schema needs. */
function namedFiles(
  { layers }: DocumentType,
  files: readonly SchemaFile[],
): { readonly nameOf: (file: string) => string; readonly files: readonly OfferedFile[] } {
  const base = commonFolder(layers.map(({ folder }) => folder))
  const nameOf = (file: string) => relative(base, file).split(sep).join('/')
  const named = new Map<string, OfferedFile>()
  for (const { folder, path, content } of files) {
    const name = nameOf(`${folder}${sep}${path}`)
    named.set(name, { name, content })
  }
  return { nameOf, files: [...named.values()].sort((one, other) => (one.name < other.name ? -1 : 1)) }
}

function commonFolder(folders: readonly string[]): string {
  const [first = ''] = folders
  let common = first
  while (!folders.every((folder) => folder === common || folder.startsWith(`${common}${sep}`))) {
    const up = dirname(common)
    if (up === common) return common
    common = up
  }
  return common
}
