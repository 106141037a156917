import { readdirSync, readFileSync } from 'node:fs'

/** What a process had when it had been up for a while, and what it has in the end. */
export interface ResourceUse {
  readonly process: string
  readonly pid: number
  readonly seconds: number
  readonly descriptors: readonly [number, number]
  readonly megabytes: readonly [number, number]
}

/** The rest is noise: connections that come and go, heaps that have room left, what Redis keeps of finished documents. */
export const MARGINS = { descriptors: 24, megabytes: 192 } as const
const WARM_UP_MS = 8_000
const YOUNG_MS = 20_000
const PAGE_BYTES = 4_096
const LOOK_MS = 1_000

interface Sample {
  readonly atMs: number
  readonly descriptors: number
  readonly bytes: number
}

/** Looks at processes each second, by /proc. `pids`: those of now, by name. */
export function watchResources(pids: () => Readonly<Record<string, number>>) {
  const lives = new Map<string, { name: string; pid: number; bornMs: number; warm?: Sample; last?: Sample }>()
  const look = () => {
    for (const [name, pid] of Object.entries(pids())) {
      const life = lives.get(`${name} ${pid}`) ?? { name, pid, bornMs: Date.now() }
      lives.set(`${name} ${pid}`, life)
      const sample = sampleOf(pid)
      if (sample === undefined) continue
      if (Date.now() - life.bornMs >= WARM_UP_MS) life.warm ??= sample
      life.last = sample
    }
  }
  const timer = setInterval(look, LOOK_MS)
  timer.unref()
  return {
    /** Of the processes that are up now, the young ones left out. */
    end(): readonly ResourceUse[] {
      clearInterval(timer)
      look()
      const now = new Set(Object.entries(pids()).map(([name, pid]) => `${name} ${pid}`))
      return [...lives].flatMap(([id, { name, pid, bornMs, warm, last }]) => {
        if (!now.has(id) || !warm || !last || last.atMs - bornMs < YOUNG_MS) return []
        const megabytes = [warm, last].map(({ bytes }) => Math.round(bytes / (1 << 20))) as [number, number]
        const seconds = Math.round((last.atMs - bornMs) / 1_000)
        return [{ process: name, pid, seconds, descriptors: [warm.descriptors, last.descriptors], megabytes }]
      })
    },
  }
}

export function leaks({ process, pid, descriptors, megabytes }: ResourceUse): readonly string[] {
  const grown = (what: string, [before, after]: readonly [number, number], margin: number) =>
    after - before > margin ? [`${process} (${pid}) went from ${before} to ${after} ${what}`] : []
  return [...grown('descriptors', descriptors, MARGINS.descriptors), ...grown('MB', megabytes, MARGINS.megabytes)]
}

/** Nothing where the process has gone, or where there is no /proc. */
function sampleOf(pid: number): Sample | undefined {
  try {
    const descriptors = readdirSync(`/proc/${pid}/fd`).length
    const bytes = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES
    return { atMs: Date.now(), descriptors, bytes }
  } catch {
    return undefined
  }
}
