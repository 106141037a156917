import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type AssemblyInForce, assemble } from '../src/assemble.ts'
import type { ThreadedCheckers } from '../src/documents/checking/checkers.ts'
import { createReloads, type InForce } from '../src/reload.ts'
import { eventually } from './eventually.ts'

const MAIN = `
xmpp: { service: "xmpp://127.0.0.1:5347", domain: waybill.example.test, host: example.test, secret: s }
redis: { url: "redis://127.0.0.1:6379", durability: memory }
senders: ["*@example.test"]
`

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'waybill-reload-'))
  writeFileSync(join(folder, 'waybill.yaml'), MAIN)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function loaded(): Promise<AssemblyInForce> {
  const { assembly, problems } = await assemble(folder, {})
  if (!assembly) throw new Error(JSON.stringify(problems))
  return assembly
}

it('what waits for other processes to be ready comes into force no more when it is stopped, and frees its threads', async () => {
  const before = await loaded()
  const inForce: InForce = { assembly: before }
  const events: string[] = []
  const closed: string[] = []
  let agree = () => {}
  const reloads = createReloads({
    folder,
    environment: {},
    inForce,
    registered: async () => [],
    log: (_, event) => void events.push(event),
    prepare: async (assembly) => ({
      ...assembly,
      checkers: { close: () => void closed.push('checkers') } as ThreadedCheckers,
    }),
    agreed() {
      events.push('waits')
      return new Promise((resolve) => {
        agree = resolve
      })
    },
    tookOver: () => void events.push('took over'),
  })
  const reloading = reloads.reload('signal')
  await eventually(() => events.includes('waits'))
  reloads.stop()
  agree()
  await reloading
  await reloads.reload('signal')
  expect({ events, closed }).toEqual({ events: ['waits'], closed: ['checkers'] })
  expect(inForce.assembly).toBe(before)
})
