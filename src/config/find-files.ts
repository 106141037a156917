import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'

export type TextFile = { readonly kind: 'text'; readonly text: string } | Unreadable

export interface Unreadable {
  readonly kind: 'missing' | 'unreadable'
  readonly reason: string
}

/** Reads a file as UTF-8. */
export async function readText(file: string): Promise<TextFile> {
  try {
    const bytes = await readFile(file)
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch (error) {
    return unreadable(error)
  }
}

function unreadable(error: unknown): Unreadable {
  if (error instanceof TypeError) return { kind: 'unreadable', reason: 'it is not UTF-8' }
  const { code } = error as NodeJS.ErrnoException
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return { kind: 'missing', reason: 'it does not exist' }
    case 'EISDIR':
      return { kind: 'unreadable', reason: 'it is a folder' }
    case 'EACCES':
    case 'EPERM':
      return { kind: 'unreadable', reason: 'this user may not read it' }
    case undefined:
      throw error
    default:
      return { kind: 'unreadable', reason: `the system says ${code}` }
  }
}

/** Whether a path leads to a file, a folder, or nowhere. */
export async function lookAt(path: string): Promise<'file' | 'folder' | 'nothing'> {
  try {
    const found = await stat(path)
    return found.isDirectory() ? 'folder' : 'file'
  } catch {
    return 'nothing'
  }
}

export type Listing = { readonly kind: 'files'; readonly files: readonly string[] } | Unreadable | { kind: 'outside' }

/** Absolute names of a file, or of all `.yaml` and `.yml` files below a folder, in order; names with a dot first are passed over. */
export async function listYaml(folder: string, entry: string): Promise<Listing> {
  const path = resolve(folder, entry)
  if (!(await isWithin(folder, path))) return { kind: 'outside' }
  try {
    if ((await stat(path)).isFile()) return { kind: 'files', files: [path] }
    return { kind: 'files', files: await yamlBelow(path) }
  } catch (error) {
    return unreadable(error)
  }
}

async function yamlBelow(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort()
  const files: string[] = []
  for (const name of names) {
    const path = join(folder, name)
    const what = await lookAt(path)
    if (what === 'folder') files.push(...(await yamlBelow(path)))
    if (what === 'file' && /\.ya?ml$/i.test(name)) files.push(path)
  }
  return files
}

export type FoundFile =
  | { readonly kind: 'found'; readonly file: string; readonly base: string }
  | { readonly kind: 'outside' }
  | { readonly kind: 'missing'; readonly places: readonly string[] }

/** Looks a file up in several folders in turn; it must lie within the configuration folder, links followed. */
export async function findFile(folder: string, bases: readonly string[], path: string): Promise<FoundFile> {
  const candidates = [...new Set(bases)].map((base) => ({ base, file: resolve(base, path) }))
  let outside = false
  for (const { base, file } of candidates) {
    if ((await lookAt(file)) !== 'file') continue
    if (await isWithin(folder, file)) return { kind: 'found', file, base }
    outside = true
  }
  if (outside || candidates.every(({ file }) => leads(folder, file) === 'out')) return { kind: 'outside' }
  return { kind: 'missing', places: candidates.map(({ file }) => relative(folder, file)) }
}

/**
 * The bundle that a file belongs to: the first folder of its path, below the base that it was found in. A file beside others
 * has that base itself.
 */
export function bundleFolder(base: string, file: string): string {
  const parts = relative(base, file).split(sep)
  const ups = parts.filter((part) => part === '..').length
  const from = resolve(base, ...Array.from({ length: ups }, () => '..'))
  const below = parts.slice(ups)
  return below.length > 1 ? join(from, below[0]!) : from
}

async function isWithin(folder: string, path: string): Promise<boolean> {
  if (leads(folder, path) === 'out') return false
  try {
    return leads(await realpath(folder), await realpath(path)) === 'in'
  } catch {
    // What doesn't exist is told apart by whoever opens it.
    return true
  }
}

function leads(folder: string, path: string): 'in' | 'out' {
  const way = relative(folder, path)
  return way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way) ? 'out' : 'in'
}
