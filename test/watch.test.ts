import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { watchEarly, watchFolder } from '../src/watch.ts'
import { eventually } from './eventually.ts'

let folder: string
let stop: () => void
let told: number
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waybill-watch-'))
  await mkdir(join(folder, 'routes'))
  await writeFile(join(folder, 'routes/a.yaml'), '')
  told = 0
  const failed = (error: Error) => {
    throw error
  }
  stop = await watchFolder(folder, () => told++, { quietMs: 100, longestMs: 1_000, failed })
})
afterEach(async () => {
  stop()
  await rm(folder, { recursive: true, force: true })
})

const write = (name: string, text = 'x') => writeFile(join(folder, name), text)

describe('a watched folder tells', () => {
  it('of a file that was written, once', async () => {
    for (const text of ['a', 'ab', 'abc']) await write('routes/a.yaml', text)
    await eventually(() => told > 0)
    await delay(300)
    expect(told).toBe(1)
  })

  it('of a file that took the place of another', async () => {
    await write('routes/.a.yaml.tmp')
    await rename(join(folder, 'routes/.a.yaml.tmp'), join(folder, 'routes/a.yaml'))
    await eventually(() => told === 1)
  })

  it('of a file that is gone', async () => {
    await rm(join(folder, 'routes/a.yaml'))
    await eventually(() => told === 1)
  })

  it('of a folder that came, and of what is written there later', async () => {
    await mkdir(join(folder, 'types'))
    await eventually(() => told === 1)
    await write('types/t.yaml')
    await eventually(() => told === 2)
  })

  it('of a volume that was turned over', async () => {
    await mkdir(join(folder, '..one'))
    await symlink('..one', join(folder, '..data_tmp'))
    await rename(join(folder, '..data_tmp'), join(folder, '..data'))
    await eventually(() => told === 1)
  })

  it('of changes that never cease, at last', async () => {
    const until = performance.now() + 2_500
    while (performance.now() < until) {
      await write('routes/a.yaml')
      await delay(20)
    }
    expect(told).toBeGreaterThanOrEqual(1)
  })

  it('nothing of what an editor leaves beside, and of other files', async () => {
    for (const name of ['routes/.a.yaml.swp', 'routes/a.yaml~', 'waybill.log', 'routes/a.yaml.orig']) await write(name)
    await delay(500)
    expect(told).toBe(0)
  })

  it('nothing any more when it is stopped', async () => {
    await write('routes/a.yaml')
    stop()
    await delay(300)
    expect(told).toBe(0)
  })
})

it('a folder that is watched before anybody listens tells then of what there was', async () => {
  const failed = (error: Error) => {
    throw error
  }
  const early = await watchEarly(folder)
  try {
    await write('routes/a.yaml')
    await eventually(() => told === 1)
    // Longer than a change may wait until it is told of.
    await delay(500)
    let heard = 0
    early.listen({ changed: () => heard++, failed })
    expect(heard).toBe(1)
    await write('routes/a.yaml', 'again')
    await eventually(() => heard === 2)
  } finally {
    early.stop()
  }
})
