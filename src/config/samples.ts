import { readFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { findFile } from './find-files.ts'
import type { DocumentType as Written } from './kinds.ts'
import type { Thing } from './thing.ts'

/** A document for example, which senders of its type may read. */
export interface Sample {
  /** Without folders. */
  readonly name: string
  /** As it stands in messages: relative to the configuration folder, or with the bundle's label. */
  readonly file: string
  readonly content: Uint8Array
}

const BYTES_MOST = 16 << 20

/** The sample of a document type; undefined where it names none, or none that can be read, which is complained of. */
export async function readSample(
  { file, bundle, value, complain }: Thing<Written>,
  folder: string,
): Promise<Sample | undefined> {
  const { sample: path } = value
  if (path === undefined) return undefined
  const bases = bundle === undefined ? [dirname(resolve(folder, file)), folder] : [bundle]
  const found = await findFile(bundle ?? folder, bases, path)
  switch (found.kind) {
    case 'outside': {
      const where = bundle === undefined ? 'configuration folder' : 'bundle'
      complain('file-outside', ['sample'], `Cannot read the sample ${path}: it lies outside of the ${where}`)
      return undefined
    }
    case 'missing':
      complain('file-missing', ['sample'], `Cannot find the sample ${path}: it is none of ${found.places.join(', ')}`)
      return undefined
    case 'found': {
      const content = await readFile(found.file).catch((error: NodeJS.ErrnoException) => error.code ?? error.message)
      if (typeof content === 'string' || content.length > BYTES_MOST) {
        const why = typeof content === 'string' ? `the system says ${content}` : `it has more than ${BYTES_MOST} bytes`
        complain('file-unreadable', ['sample'], `Cannot read the sample ${path}: ${why}`)
        return undefined
      }
      const shown =
        bundle === undefined ? relative(folder, found.file) : join(dirname(file), relative(bundle, found.file))
      return { name: basename(found.file), file: shown, content }
    }
  }
}
