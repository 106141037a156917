import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BundleFiles, digestOfBundle, layOutBundle, type RegisteredBundle, unpackBundle } from './config/bundle.ts'
import { typeKey } from './domain/document-type.ts'
import type { RegistryState } from './domain/registration.ts'
import type { Registry } from './flow/ports.ts'

/** What was registered at run time, laid out so that it can be loaded like what stands in the configuration folder. */
export interface Registered {
  /** What there is now. Throws {@link StoreUnavailable}. */
  read(): Promise<{ readonly state: RegistryState; readonly bundles: readonly RegisteredBundle[] }>
  /** One that isn't registered yet. */
  layOut(label: string, digest: string, files: BundleFiles): Promise<RegisteredBundle>
  /** Removes what was laid out. */
  close(): Promise<void>
}

/** A bundle never changes, so that each is fetched and laid out once, in a folder of this process alone. */
export function openRegistered(registry: Pick<Registry, 'read' | 'bundle'>): Registered {
  let root: Promise<string> | undefined
  const known = new Map<string, Promise<string>>()

  function folderOf(digest: string, files: () => Promise<BundleFiles>): Promise<string> {
    const folder = known.get(digest) ?? layOutOnce(digest, files)
    known.set(digest, folder)
    folder.catch(() => known.delete(digest))
    return folder
  }

  async function layOutOnce(digest: string, files: () => Promise<BundleFiles>): Promise<string> {
    // Where nothing is registered there is nothing to leave behind.
    root ??= mkdtemp(join(tmpdir(), 'waybill-schemas-'))
    const folder = join(await root, digest)
    const making = `${folder}.new`
    await rm(making, { recursive: true, force: true })
    await mkdir(making, { mode: 0o700 })
    await layOutBundle(await files(), making)
    await rename(making, folder)
    return folder
  }

  async function fetch(key: string, digest: string): Promise<BundleFiles> {
    const packed = await registry.bundle(digest)
    if (packed === undefined) throw new Error(`Cannot load ${key}: its bundle ${digest} is not there`)
    const files = await unpackBundle(packed)
    const found = digestOfBundle(files)
    if (found !== digest) throw new Error(`Cannot load ${key}: its bundle has the digest ${found}, not ${digest}`)
    return files
  }

  return {
    async read() {
      const state = await registry.read()
      const bundles = state.versions.map(async (version): Promise<RegisteredBundle> => {
        const key = typeKey(version)
        const folder = await folderOf(version.digest, () => fetch(key, version.digest))
        return { folder, label: `registered/${key}`, deprecated: version.deprecated }
      })
      return { state, bundles: await Promise.all(bundles) }
    },
    async layOut(label, digest, files) {
      return { folder: await folderOf(digest, async () => files), label, deprecated: undefined }
    },
    async close() {
      if (root) await rm(await root, { recursive: true, force: true })
    },
  }
}
