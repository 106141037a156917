import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'

/** The file of a bundle that says what type it is of; the others are its schema's. */
export const TYPE_FILE = 'type.yaml'

/** A registered version, its files laid out in a folder. */
export interface RegisteredBundle {
  /** Absolute. */
  readonly folder: string
  /** What stands in messages in the place of the folder: `registered/invoice@2.1`. */
  readonly label: string
  /** Said of the version since it was registered. */
  readonly deprecated: string | undefined
}

/** Path in the bundle, with `/`, to what stands there. */
export type BundleFiles = ReadonlyMap<string, Uint8Array>

const FILES_MOST = 500
const BYTES_MOST = 16 << 20

/** A bundle that can't be one, with the reason. */
export class BundleUnfit extends Error {
  override name = 'BundleUnfit'
}

/** All files below a folder; names with a dot first, and links, are passed over. Throws {@link BundleUnfit}, and what the system says. */
export async function readBundle(folder: string): Promise<BundleFiles> {
  const files = new Map<string, Uint8Array>()
  let bytes = 0
  for (const path of await filesBelow(folder)) {
    const content = await readFile(join(folder, path))
    bytes += content.length
    if (files.size >= FILES_MOST || bytes > BYTES_MOST) {
      throw new BundleUnfit(`Cannot take ${folder}: a bundle has at most ${FILES_MOST} files and ${BYTES_MOST} bytes`)
    }
    files.set(path.split(sep).join('/'), content)
  }
  if (!files.has(TYPE_FILE)) throw new BundleUnfit(`Cannot take ${folder}: there is no ${TYPE_FILE} in it`)
  return files
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
  return paths.filter((path) => path.split(sep).every((part) => !part.startsWith('.'))).sort()
}

/** SHA-256 over names, lengths and contents in the order of the names, hex: the same however it was packed. */
export function digestOfBundle(files: BundleFiles): string {
  const hash = createHash('sha256')
  for (const [path, content] of [...files].sort(([one], [other]) => (one < other ? -1 : 1))) {
    hash.update(`${Buffer.byteLength(path)} ${path} ${content.length}\n`).update(content)
  }
  return hash.digest('hex')
}

/** As one value: JSON of base64, in gzip. */
export async function packBundle(files: BundleFiles): Promise<Uint8Array> {
  const entries = [...files].map(([path, content]) => [path, Buffer.from(content).toString('base64')])
  return promisify(gzip)(JSON.stringify(Object.fromEntries(entries)))
}

/** Throws {@link BundleUnfit} for what was not packed here, and for what would be larger than a bundle may be. */
export async function unpackBundle(packed: Uint8Array): Promise<BundleFiles> {
  const text = await promisify(gunzip)(packed, { maxOutputLength: 2 * BYTES_MOST }).catch((error: Error) => {
    throw new BundleUnfit(`Cannot unpack the bundle: ${error.message}`)
  })
  const entries = Object.entries(JSON.parse(text.toString()) as Record<string, string>)
  return new Map(entries.map(([path, base64]) => [path, Buffer.from(base64, 'base64')]))
}

/** Writes the files into a folder of their own. Throws {@link BundleUnfit} where a path would lead out of it. */
export async function layOutBundle(files: BundleFiles, folder: string): Promise<void> {
  for (const [path, content] of files) {
    const isPlain = path.split('/').every((part) => part !== '' && !part.startsWith('.') && !/[\\\0]/.test(part))
    if (!isPlain) throw new BundleUnfit(`Cannot lay out the bundle: ${JSON.stringify(path)} is no path in it`)
    const file = join(folder, ...path.split('/'))
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeFile(file, content, { mode: 0o600 })
  }
}
