import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

/** A place for Redis's files that can be made full. */
export interface SmallDisk {
  /** `disk`: a file system of its own, really full. `file`: where none can be mounted, Redis can't replace its file. */
  readonly kind: 'disk' | 'file'
  readonly redisConfig: Readonly<Record<string, string>>
  fill(redisUrl: string): Promise<void>
  free(redisUrl: string): Promise<void>
  /** After Redis has ended. */
  remove(): void
}

export function smallDisk(): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-small-disk-'))
  return mounts(folder) ? mountedDisk(folder) : unwritableFile(folder)
}

function mounts(folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function mountedDisk(folder: string): SmallDisk {
  const filler = join(folder, 'filler')
  return {
    kind: 'disk',
    redisConfig: { dir: folder },
    async fill() {
      const file = openSync(filler, 'w')
      try {
        for (const size of [1 << 20, 4_096, 1]) writeUntilFull(file, Buffer.alloc(size))
      } finally {
        closeSync(file)
      }
    },
    free: async () => rmSync(filler),
    remove() {
      execFileSync('umount', [folder])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function writeUntilFull(file: number, block: Buffer): void {
  for (;;) {
    try {
      if (writeSync(file, block) < block.length) return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      return
    }
  }
}

// A folder in the file's place can't be replaced, not even by root.
function unwritableFile(folder: string): SmallDisk {
  const inTheWay = join(folder, 'dump.rdb')
  return {
    kind: 'file',
    redisConfig: { dir: folder, save: '3600 1', 'stop-writes-on-bgsave-error': 'yes' },
    async fill(url) {
      mkdirSync(join(inTheWay, 'in the way'), { recursive: true })
      await saveIn(url)
    },
    async free(url) {
      rmSync(inTheWay, { recursive: true })
      await saveIn(url)
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function saveIn(url: string): Promise<void> {
  const client = new Redis(url)
  await client.bgsave()
  client.disconnect()
}
