import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { compileDocuments } from '../../../src/documents/documents.ts'
import { limits, typeOf } from '../given.ts'
import { rulesLayer, schema } from './given.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

async function heapAfterLoading(): Promise<number> {
  const asserts = Array.from(
    { length: 300 },
    (_, at) => `<assert test="count(//o:a${at}[@b = ${at}]) = ${at}">x</assert>`,
  )
  const layer = rulesLayer(schema(`<pattern><rule context="o:order">${asserts.join('')}</rule></pattern>`))
  const { documents, problems } = await compileDocuments([typeOf('order', { schema: layer })], limits)
  expect(problems).toEqual([])
  documents.dispose()
  collectGarbage()
  // What was waited for is let go of in the next turn.
  await new Promise((resolve) => setImmediate(resolve))
  collectGarbage()
  return process.memoryUsage().heapUsed
}

it('a reload frees the rules that it replaces, and the engine that compiled them', async () => {
  const after: number[] = []
  for (let times = 0; times < 8; times++) after.push(await heapAfterLoading())
  const grown = after.at(-1)! - after[2]!
  // Each loading takes several MB, which would add up.
  expect(grown / 1_000_000).toBeLessThan(4)
}, 60_000)
