import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type DocumentChange, diff } from '../../src/commands/diff.ts'
import type { Document, Origin } from '../../src/domain/document.ts'
import { type Files, withFolder } from '../config/folder.ts'
import { acceptance, closeStores, freshPrefix, openTestStore } from '../redis/fixtures.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { keptOutput, ORDER, order, WAYBILL } from './given.ts'

let redis: RunningRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterEach(closeStores)
afterAll(() => redis?.stop())

const READING = 'kind: DocumentType\nname: reading\nidentify: { json: { datatype: "urn:reading" } }\nschema: none\n'
const archive = { keepMs: 3_600_000, count: 100, bytes: 1 << 20, types: [] }
const route = (name: string, when: string) =>
  `kind: Route\nname: ${name}\nwhen: ${when}\ndeliver: [{ jid: ${name}@example.org }]\n`

interface Kept {
  readonly type: string
  readonly document: Partial<Document>
  readonly origin?: Partial<Origin>
}

/** What becomes otherwise with one archived document where a route comes to one that takes everything. */
async function changed({ type, document, origin }: Kept, routes: string, more = ''): Promise<readonly string[]> {
  const prefix = freshPrefix()
  const store = await openTestStore(redis.url, { archive, prefix })
  const { envelope, ...rest } = acceptance({ type, payload: String(document.payload) })
  const from = 'shop@example.org/web'
  await store.accept([
    {
      ...rest,
      envelope: {
        ...envelope,
        document: { ...envelope.document, ...document, bytes: String(document.payload).length },
        origin: { ...envelope.origin, from, ...origin },
      },
    },
  ])
  const waybill = `${WAYBILL}redis: { url: "${redis.url}", prefix: ${prefix} }\narchive: {}\n`
  const old: Files = {
    'waybill.yaml': waybill,
    'types/types.yaml': `${ORDER}---\n${READING}`,
    'routes/routes.yaml': route('all', '{}'),
  }
  const next: Files = { ...old, 'waybill.yaml': `${waybill}${more}`, 'routes/more.yaml': routes }
  return withFolder({}, async (folder) => {
    for (const [name, files] of Object.entries({ old, next }))
      for (const [file, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, name, file)), { recursive: true })
        await writeFile(join(folder, name, file), text)
      }
    const kept = keptOutput('json')
    await diff(join(folder, 'old'), join(folder, 'next'), { documents: 'archive' }, kept.output)
    const { documents, changes } = kept.json() as { documents: number; changes: readonly DocumentChange[] }
    expect(documents).toBe(1)
    return changes.map(({ change, destination, was }) => [change, destination, was].filter(Boolean).join(' '))
  })
}

const xml: Kept = { type: 'order', document: { payload: order('EUR', 5) } }
const json: Kept = {
  type: 'reading',
  document: { form: 'json-message', mediaType: 'application/json', datatype: 'urn:reading', payload: '{"celsius":5}' },
}

describe('a document of the archive, in waybill diff', () => {
  it.each<[string, Kept, string, readonly string[]]>([
    [
      'to the address that it was sent to',
      { ...xml, origin: { to: 'orders@waybill.example.org' } },
      '{ to: orders@waybill.example.org }',
      ['added more@example.org'],
    ],
    [
      'to the node that it was published to',
      { ...xml, origin: { stanza: 'publish', node: 'in' } },
      '{ node: in, stanza: publish }',
      ['added more@example.org'],
    ],
    ['to no other node', xml, '{ node: in }', []],
    ['as what its datatype says', json, '{ type: reading }', ['added more@example.org']],
    [
      'of opaque content, by its media type',
      { type: 'opaque', document: { form: 'sealed', mediaType: 'application/vnd.acme.order', payload: '<x' } },
      '{ mediaType: application/vnd.acme.order }',
      ['added more@example.org'],
    ],
  ])('goes %s', async (_, kept, when, expected) => {
    expect(await changed(kept, route('more', when))).toEqual(expected)
  })

  it('is refused where it is larger than the new limits allow', async () => {
    const rows = await changed(xml, route('more', '{ node: in }'), 'limits: { documentBytes: 10 }\n')
    expect(rows).toEqual(['verdict rejected: too-large accepted', 'removed all@example.org'])
  })

  it('and --from, or a folder and --last, contradict each other', async () => {
    const { output } = keptOutput()
    await expect(diff('.', '.', { documents: 'archive', from: 'a@example.org' }, output)).rejects.toThrow(
      '--from is for a folder',
    )
    await expect(diff('.', '.', { documents: 'x', last: 5 }, output)).rejects.toThrow(
      '--last is for --documents archive',
    )
  })
})
