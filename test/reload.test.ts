import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { assemble } from '../src/assemble.ts'
import type { RegisteredBundle } from '../src/config/bundle.ts'
import type { ThreadedCheckers } from '../src/documents/checking/checkers.ts'
import { goingBy } from '../src/flow/check.ts'
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

it('what is loaded when it is stopped is not even prepared', async () => {
  let read: (() => void) | undefined
  const { needs, events } = await given({
    registered: () => new Promise((resolve) => (read = () => resolve([]))),
    prepare: async (assembly) => {
      events.push('prepared')
      return assembly
    },
  })
  const reloads = createReloads(needs)
  const reloading = reloads.reload('signal')
  await eventually(() => read !== undefined)
  reloads.stop()
  read!()
  await reloading
  expect(events).toEqual([])
})

/** As if it were registered. */
function parcels(): RegisteredBundle {
  const bundle = join(folder, 'bundle')
  mkdirSync(bundle)
  writeFileSync(
    join(bundle, 'type.yaml'),
    'kind: DocumentType\nname: parcel\nversion: "1"\nidentify: { xml: { root: "{urn:p}parcel" } }\nschema: none\n',
  )
  return { folder: bundle, label: 'registered/parcel@1', deprecated: undefined }
}

const typesOf = ({ inForce }: ReloadNeeds) => inForce.assembly.configuration.types.map(({ name }) => name)

it('a reload while Redis is away goes by what was registered at the start', async () => {
  const { needs, events } = await given({
    bundles: [parcels()],
    registered: async () => {
      throw new StoreUnavailable('Redis is away')
    },
  })
  await createReloads(needs).reload('signal')
  expect(events).toEqual(['registry-not-read', 'took over', 'reloaded'])
  expect(typesOf(needs)).toContain('parcel')
})

it('a change of the registry that can not be read is told to who asked for it, and changes nothing', async () => {
  const { needs, events } = await given({
    registered: async () => {
      throw new StoreUnavailable('Redis is away')
    },
  })
  await expect(createReloads(needs).reload('registered')).rejects.toBeInstanceOf(StoreUnavailable)
  expect(events).toEqual([])
})

it('a change of the registry brings into force what is registered now, and rests what judged before', async () => {
  const rested: string[] = []
  const bundle = parcels()
  const { needs, events } = await given({ registered: async () => [bundle] })
  const checkers = { retire: () => void rested.push('checkers') } as ThreadedCheckers
  needs.inForce.assembly = { ...needs.inForce.assembly, checkers }
  await createReloads(needs).reload('registered')
  expect(events).toEqual(['took over', 'reloaded'])
  expect(typesOf(needs)).toContain('parcel')
  expect(rested).toEqual(['checkers'])
})

it('a signal is answered also where a change of the files is told behind it, while another reload goes on', async () => {
  let read: (() => void) | undefined
  const { needs, events } = await given({ registered: () => new Promise((resolve) => (read = () => resolve([]))) })
  const reloads = createReloads(needs)
  const first = reloads.reload('change')
  await eventually(() => read !== undefined)
  const readFirst = read!
  read = undefined
  for (const cause of ['signal', 'change'] as const) void reloads.reload(cause)
  readFirst()
  await eventually(() => read !== undefined)
  read!()
  await first
  expect(events).toEqual(['reload-unneeded', 'took over', 'reloaded'])
})

it.each([0, 1, 2, 3, 4, 5, 6])(
  'a reload that is asked for when the last one ends is made, %i steps later',
  async (steps) => {
    let asked = 0
    const { needs, events } = await given({
      log(_, event) {
        events.push(event)
        asked += 1
        if (asked === 1) void later(steps).then(() => reloads.reload('signal'))
      },
    })
    const reloads = createReloads(needs)
    await reloads.reload('signal')
    await eventually(() => events.length >= 4)
    expect(events).toEqual(['took over', 'reloaded', 'took over', 'reloaded'])
  },
)

async function later(steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) await undefined
}

it('what judged before is freed when nothing goes by it any more, however long that takes', async () => {
  const freed: string[] = []
  const checkers = { retire: () => {}, close: () => void freed.push('checkers') } as unknown as ThreadedCheckers
  const { needs } = await given({ oldRulingMs: 5 })
  const before = needs.inForce.assembly
  const documents = { ...before.documents, dispose: () => void freed.push('schemas') }
  needs.inForce.assembly = { ...before, checkers, documents }
  let end!: () => void
  const stanza = goingBy(before.ruling, () => new Promise<void>((resolve) => (end = resolve)))
  await createReloads(needs).reload('signal')
  expect(needs.inForce.assembly).not.toBe(before)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(freed).toEqual([])
  end()
  await stanza
  await eventually(() => freed.length > 0)
  expect(freed).toEqual(['checkers', 'schemas'])
})
