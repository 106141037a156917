import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { assemble } from '../src/assemble.ts'
import type { ThreadedCheckers } from '../src/documents/checking/checkers.ts'
import { StoreUnavailable } from '../src/flow/ports.ts'
import { createReloads, type ReloadNeeds } from '../src/reload.ts'
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

/** What the folder holds, and what is registered, comes into force in a process that stands alone. */
async function given(changed: Partial<ReloadNeeds> = {}): Promise<{ needs: ReloadNeeds; events: string[] }> {
  const { assembly, problems } = await assemble(folder, {}, changed.bundles)
  if (!assembly) throw new Error(JSON.stringify(problems))
  const events: string[] = []
  const needs: ReloadNeeds = {
    folder,
    environment: {},
    inForce: { assembly },
    bundles: [],
    registered: async () => [],
    log: (_, event) => void events.push(event),
    prepare: async (prepared) => prepared,
    agreed: async () => {},
    tookOver: () => void events.push('took over'),
    ...changed,
  }
  return { needs, events }
}

it('what waits for other processes to be ready comes into force no more when it is stopped, and frees its threads', async () => {
  const closed: string[] = []
  const checkers = { close: () => void closed.push('checkers') } as ThreadedCheckers
  let agree: (() => void) | undefined
  const agreed = () => new Promise<void>((resolve) => (agree = resolve))
  const { needs, events } = await given({ prepare: async (assembly) => ({ ...assembly, checkers }), agreed })
  const before = needs.inForce.assembly
  const reloads = createReloads(needs)
  const reloading = reloads.reload('signal')
  await eventually(() => agree !== undefined)
  reloads.stop()
  agree!()
  await reloading
  await reloads.reload('signal')
  expect({ events, closed }).toEqual({ events: [], closed: ['checkers'] })
  expect(needs.inForce.assembly).toBe(before)
})

it('a reload while Redis is away goes by what was registered at the start', async () => {
  const bundle = join(folder, 'bundle')
  mkdirSync(bundle)
  writeFileSync(
    join(bundle, 'type.yaml'),
    'kind: DocumentType\nname: parcel\nversion: "1"\nidentify: { xml: { root: "{urn:p}parcel" } }\nschema: none\n',
  )
  const { needs, events } = await given({
    bundles: [{ folder: bundle, label: 'registered/parcel@1', deprecated: undefined }],
    registered: async () => {
      throw new StoreUnavailable('Redis is away')
    },
  })
  await createReloads(needs).reload('signal')
  expect(events).toEqual(['registry-not-read', 'took over', 'reloaded'])
  expect(needs.inForce.assembly.configuration.types.map(({ name }) => name)).toContain('parcel')
})
