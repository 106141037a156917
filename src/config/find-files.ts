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

/** Where a path leads when links are followed; the path itself where it leads nowhere. */
export function realPath(path: string): Promise<string> {
  return realpath(path).catch(() => path)
}

/** A file as it is named, and where it lies when links are followed. */
export interface ListedFile {
  readonly file: string
  readonly real: string
}

/** A link found by listing that leads nowhere, or to a folder or a YAML file out of the configuration folder. */
export type StrayLink = { readonly link: string } & (Unreadable | { readonly kind: 'outside' })

export interface Listed {
  readonly kind: 'files'
  readonly files: readonly ListedFile[]
  readonly strays: readonly StrayLink[]
}

export type Listing = Listed | Unreadable | { readonly kind: 'outside' }

/**
 * A file, or all `.yaml` and `.yml` files below a folder, in order; names with a dot first are passed over. Links are followed within the
 * configuration folder, as Kubernetes mounts a ConfigMap.
 */
export async function listYaml(folder: string, entry: string): Promise<Listing> {
  const path = resolve(folder, entry)
  if (!(await isWithin(folder, path))) return { kind: 'outside' }
  try {
    const real = await realpath(path)
    if (!(await stat(real)).isDirectory()) return { kind: 'files', files: [{ file: path, real }], strays: [] }
    return { kind: 'files', ...(await yamlBelow(await realpath(folder), { file: path, real }, new Set())) }
  } catch (error) {
    return unreadable(error)
  }
}

/** @param seen Real folders that were listed: a link to a folder above would go round in circles. */
async function yamlBelow(
  root: string,
  folder: ListedFile,
  seen: Set<string>,
): Promise<{ files: ListedFile[]; strays: StrayLink[] }> {
  const files: ListedFile[] = []
  const strays: StrayLink[] = []
  if (seen.has(folder.real)) return { files, strays }
  seen.add(folder.real)
  const entries = (await readdir(folder.real, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'))
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = join(folder.file, entry.name)
    const target = entry.isSymbolicLink() ? await targetOf(file) : { real: join(folder.real, entry.name), entry }
    if ('kind' in target) {
      strays.push({ link: file, ...target })
      continue
    }
    const isFolder = target.entry.isDirectory()
    if (!isFolder && !/\.ya?ml$/i.test(entry.name)) continue
    if (leads(root, target.real) === 'out') {
      strays.push({ link: file, kind: 'outside' })
    } else if (isFolder) {
      const below = await yamlBelow(root, { file, real: target.real }, seen)
      files.push(...below.files)
      strays.push(...below.strays)
    } else {
      files.push({ file, real: target.real })
    }
  }
  return { files, strays }
}

async function targetOf(link: string): Promise<{ real: string; entry: { isDirectory(): boolean } } | Unreadable> {
  try {
    const real = await realpath(link)
    return { real, entry: await stat(real) }
  } catch (error) {
    const { kind, reason } = unreadable(error)
    return { kind, reason: kind === 'missing' ? 'it is a link to what does not exist' : reason }
  }
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
