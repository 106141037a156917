import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative } from 'node:path'
import { type DocumentType, type SchemaLayer, typeKey } from '../domain/document-type.ts'
import type { Sample } from './samples.ts'

/** Files of one schema that are looked at, at most. */
const FILES_AT_MOST = 2_000

/**
 * For each type with a schema, what stands in its files, layer by layer: all of the same ending in the folders of its layers, which is what a
 * layer may take in; then what stands in its sample. Tells whether a type has changed though its YAML hasn't.
 */
export async function schemaDigests(
  types: readonly DocumentType[],
  samples: ReadonlyMap<string, Sample>,
): Promise<ReadonlyMap<string, string>> {
  const known = new Map<string, Promise<string>>()
  const digestOf = (layer: SchemaLayer): Promise<string> => {
    const ending = extname(layer.file)
    const key = `${layer.folder} ${ending}`
    const digest = known.get(key) ?? digestOfFolder(layer.folder, ending)
    known.set(key, digest)
    return digest
  }
  const digests = types.map(async (type) => {
    const layers = await Promise.all(type.layers.map(digestOf))
    const sample = samples.get(typeKey(type))
    const all = sample ? [...layers, createHash('sha256').update(sample.content).digest('hex')] : layers
    return [typeKey(type), all.join(' ')] as const
  })
  return new Map(await Promise.all(digests))
}

async function digestOfFolder(folder: string, ending: string): Promise<string> {
  const hash = createHash('sha256')
  for (const file of (await filesBelow(folder, ending)).slice(0, FILES_AT_MOST)) {
    // What can't be read is complained of where it is needed.
    const bytes = await readFile(file).catch(() => Buffer.alloc(0))
    hash.update(`${relative(folder, file)} ${bytes.length}\n`).update(bytes)
  }
  return hash.digest('hex')
}

async function filesBelow(folder: string, ending: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const files: string[] = []
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue
    if (entry.isDirectory()) files.push(...(await filesBelow(join(folder, entry.name), ending)))
    else if (extname(entry.name) === ending) files.push(join(folder, entry.name))
  }
  return files
}
