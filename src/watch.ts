import { type FSWatcher, watch } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

export interface WatchOptions {
  /** How long nothing may have happened before a change is told of: a save or a checkout makes many. */
  readonly quietMs: number
  /** A change is told of after this time though it goes on. */
  readonly longestMs: number
  /** Something can't be watched: changes there are not seen. */
  readonly failed: (error: Error) => void
}

/** Files that a configuration consists of. `..data` is what a mounted volume of Kubernetes turns over. */
const RELEVANT = /\.(?:ya?ml|xsd|rng|sch|json|xml|dtd)$|^\.\.data$/i

/** A folder that is watched before there is anybody to tell: what is seen until then is kept. */
export interface EarlyWatch {
  listen(listener: WatchListener): void
  stop(): void
}

export interface WatchListener {
  readonly changed: () => void
  readonly failed: WatchOptions['failed']
}

const QUIET_MS = 300
const LONGEST_MS = 5_000

/** For a folder that is about to be loaded: no change falls between that and the watch. */
export async function watchEarly(folder: string): Promise<EarlyWatch> {
  const kept: ((listener: WatchListener) => void)[] = []
  let tell = (what: (listener: WatchListener) => void): unknown => kept.push(what)
  const stop = await watchFolder(folder, () => tell(({ changed }) => changed()), {
    quietMs: QUIET_MS,
    longestMs: LONGEST_MS,
    failed: (error) => tell(({ failed }) => failed(error)),
  })
  return {
    listen(listener) {
      tell = (what) => what(listener)
      kept.splice(0).forEach(tell)
    },
    stop,
  }
}

/**
 * Tells of changes in a folder and in those below it; names with a dot first are passed over. The folders are watched, not their
 * files: a hundred thousand files cost a few watches. Resolves when all are watched.
 *
 * @returns the way to stop
 */
export async function watchFolder(folder: string, changed: () => void, options: WatchOptions): Promise<() => void> {
  const watchers = new Map<string, FSWatcher>()
  let timer: NodeJS.Timeout | undefined
  let since: number | undefined
  let stopped = false

  function note(name: string | null): void {
    // A name without ending may be a folder, come or gone.
    if (stopped || (name !== null && !RELEVANT.test(name) && (name.startsWith('.') || name.includes('.')))) return
    const now = performance.now()
    since ??= now
    clearTimeout(timer)
    timer = setTimeout(tell, Math.max(0, Math.min(options.quietMs, since + options.longestMs - now)))
  }

  function tell(): void {
    since = undefined
    void follow().then(() => {
      if (!stopped) changed()
    })
  }

  /** Watches the folders that are there now. */
  async function follow(): Promise<void> {
    const present = new Set(await foldersOf(folder))
    for (const [path, watcher] of watchers) {
      if (present.has(path)) continue
      watcher.close()
      watchers.delete(path)
    }
    for (const path of present) if (!stopped && !watchers.has(path)) watchOne(path)
  }

  function watchOne(path: string): void {
    try {
      const watcher = watch(path, { persistent: false }, (_, name) => note(name))
      watcher.on('error', (error) => {
        watcher.close()
        watchers.delete(path)
        options.failed(error)
      })
      watchers.set(path, watcher)
    } catch (error) {
      options.failed(error as Error)
    }
  }

  await follow()
  return () => {
    stopped = true
    clearTimeout(timer)
    for (const watcher of watchers.values()) watcher.close()
    watchers.clear()
  }
}

async function foldersOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const below = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
  const inner = await Promise.all(below.map(({ name }) => foldersOf(join(folder, name))))
  return [folder, ...inner.flat()]
}
