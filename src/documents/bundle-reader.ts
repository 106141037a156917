import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { resolve, sep } from 'node:path'

/** Where the files of schema bundles come from. */
export interface BundleReader {
  /** Bytes of a file inside the folder; a text that says why where they can't be had. */
  read(folder: string, path: string): Uint8Array | string
  /** The same, of a file that may turn out not to belong to the schema. */
  peek(folder: string, path: string): Uint8Array | string
  /** Paths of everything below the folder. */
  list(folder: string): readonly string[]
}

const FILE_BYTES = 16 * 1024 * 1024

/** Links are followed, but never out of the folder. */
export const onDisk: BundleReader = {
  read: readInside,
  peek: readInside,
  list: (folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }),
}

function readInside(folder: string, path: string): Uint8Array | string {
  try {
    const file = realpathSync(resolve(folder, path))
    if (!file.startsWith(realpathSync(folder) + sep)) return `${path} is outside of the bundle's folder`
    const { size } = statSync(file)
    if (size > FILE_BYTES) return `${path} has ${size} bytes, the limit is ${FILE_BYTES}`
    return readFileSync(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? `there is no file ${path} in the bundle` : `${path} can't be read (${code})`
  }
}

/** Everything that was read while schemas were compiled, so that they can be compiled again though the files have changed since. */
export interface ReadFiles {
  /** By folder, then by path. */
  readonly contents: ReadonlyMap<string, ReadonlyMap<string, Uint8Array | string>>
  readonly lists: ReadonlyMap<string, readonly string[]>
}

/** Reads each file once, and keeps it. */
export function keepReading(reader: BundleReader = onDisk): BundleReader & { readonly kept: ReadFiles } {
  const contents = new Map<string, Map<string, Uint8Array | string>>()
  const lists = new Map<string, readonly string[]>()
  const read: BundleReader['read'] = (folder, path) => {
    const inFolder = contents.get(folder) ?? new Map<string, Uint8Array | string>()
    contents.set(folder, inFolder)
    const content = inFolder.get(path) ?? reader.read(folder, path)
    inFolder.set(path, content)
    return content
  }
  return {
    kept: { contents, lists },
    read,
    peek: read,
    list(folder) {
      const list = lists.get(folder) ?? reader.list(folder)
      lists.set(folder, list)
      return list
    },
  }
}

/** What was read before, and nothing else. */
export function fromKept({ contents, lists }: ReadFiles): BundleReader {
  const read: BundleReader['read'] = (folder, path) =>
    contents.get(folder)?.get(path) ?? `there is no file ${path} in the bundle`
  return { read, peek: read, list: (folder) => lists.get(folder) ?? [] }
}

/** A file that a schema consists of. */
export interface SchemaFile {
  /** Of the bundle, absolute. */
  readonly folder: string
  /** In the folder. */
  readonly path: string
  readonly content: Uint8Array
}

/** Notes which files were read, and not those that were only looked into. */
export function noteReading(reader: BundleReader): BundleReader & { readonly noted: readonly SchemaFile[] } {
  const noted = new Map<string, SchemaFile>()
  return {
    peek: reader.peek,
    list: reader.list,
    read(folder, path) {
      const content = reader.read(folder, path)
      if (typeof content !== 'string') noted.set(`${folder} ${path}`, { folder, path, content })
      return content
    },
    get noted() {
      return [...noted.values()]
    },
  }
}

/** Of the files of some folders, wherever these lie on a machine. */
export function digestOfKept(folders: readonly string[], { contents }: ReadFiles): string {
  const hash = createHash('sha256')
  for (const folder of folders) {
    for (const [path, content] of [...(contents.get(folder) ?? [])].sort(([one], [other]) => (one < other ? -1 : 1))) {
      hash.update(`${path} ${content.length}\n`).update(content)
    }
    hash.update('\n')
  }
  return hash.digest('hex')
}
