import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type DocumentChange, diff } from '../../src/commands/diff.ts'
import { type Files, withFolder } from '../config/folder.ts'
import { keptOutput, ORDER, order, WAYBILL } from './given.ts'

const route = (name: string, when: string, deliver: string, more = '') =>
  `kind: Route\nname: ${name}\n${more}when: ${when}\ndeliver: ${deliver}\n`
const EUR = route('eur', '{ fields: { currency: EUR } }', '[{ jid: a@example.org }]')
const TOTAL = route('total', '{ fields: { total: { ">": 100 } } }', '[{ pubsub: p.example.org, node: large }]')

const configuration = (routes: readonly string[], waybill = WAYBILL): Files => ({
  'waybill.yaml': waybill,
  'types/order.yaml': ORDER,
  'routes/routes.yaml': routes.join('---\n'),
})

const DOCUMENTS: Files = {
  'eur.xml': order('EUR', 50),
  'large.xml': order('EUR', 200),
  'boss@example.org/usd.xml': order('USD', 200),
}

async function compare(before: Files, after: Files, documents = DOCUMENTS, from: string | null = 'shop@example.org') {
  const all = [
    ['old', before],
    ['new', after],
    ['documents', documents],
  ] as const
  return withFolder({}, async (folder) => {
    for (const [name, files] of all) {
      for (const [file, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, name, file)), { recursive: true })
        await writeFile(join(folder, name, file), text)
      }
    }
    const kept = keptOutput('json')
    const options = { documents: join(folder, 'documents'), ...(from === null ? {} : { from }) }
    const code = await diff(join(folder, 'old'), join(folder, 'new'), options, kept.output)
    const { changes, counts } = kept.json() as { changes: readonly DocumentChange[]; counts: Record<string, number> }
    const rows = changes.map(({ change, document, destination, route: owner, was }) =>
      [change, document, destination, owner, was].filter(Boolean).join(' '),
    )
    return { code, rows, counts }
  })
}

describe('waybill diff', () => {
  it.each<readonly [string, readonly string[], readonly string[], readonly string[]]>([
    ['nothing', [EUR, TOTAL], [TOTAL, EUR], []],
    [
      'a route that is new',
      [EUR],
      [EUR, TOTAL],
      [
        'verdict boss@example.org/usd.xml accepted no-route',
        'added boss@example.org/usd.xml xmpp:p.example.org?;node=large total',
        'added large.xml xmpp:p.example.org?;node=large total',
      ],
    ],
    [
      'a route that is gone',
      [EUR, TOTAL],
      [TOTAL],
      ['verdict eur.xml no-route accepted', 'removed eur.xml a@example.org eur', 'removed large.xml a@example.org eur'],
    ],
    [
      'a destination that moved',
      [EUR],
      [EUR.replace('a@', 'b@')],
      ['moved eur.xml b@example.org eur a@example.org', 'moved large.xml b@example.org eur a@example.org'],
    ],
    [
      'another owner',
      [EUR],
      [EUR, route('first', '{}', '[{ jid: a@example.org }]', 'priority: 5\n')],
      [
        'verdict boss@example.org/usd.xml accepted no-route',
        'added boss@example.org/usd.xml a@example.org first',
        'changed eur.xml a@example.org first route eur, priority 0',
        'changed large.xml a@example.org first route eur, priority 0',
      ],
    ],
    [
      'other options',
      [EUR],
      [EUR.replace('a@example.org', 'a@example.org, confirm: receipt')],
      ['changed eur.xml a@example.org eur confirm none', 'changed large.xml a@example.org eur confirm none'],
    ],
    [
      'a sender of its own',
      [TOTAL],
      [TOTAL.replace('{ fields', '{ from: boss@example.org, fields')],
      ['verdict large.xml no-route accepted', 'removed large.xml xmpp:p.example.org?;node=large total'],
    ],
  ])('tells of %s', async (_, before, after, expected) => {
    const { code, rows } = await compare(configuration(before), configuration(after))
    expect(rows).toEqual(expected)
    expect(code).toBe(expected.length === 0 ? 0 : 1)
  })

  it('tells of documents that are refused now', async () => {
    const { rows, counts } = await compare(
      configuration([EUR, TOTAL]),
      configuration([EUR, TOTAL], WAYBILL.replace('*@example.org', 'boss@example.org')),
    )
    expect(rows).toContain('verdict eur.xml rejected: not-allowed accepted')
    expect(counts).toEqual({ added: 0, removed: 3, moved: 0, changed: 0, verdict: 2 })
  })

  it('asks who sends what nobody is said to send', async () => {
    const both = configuration([EUR])
    const message = /nobody is said to send eur\.xml; give --from/
    await expect(compare(both, both, DOCUMENTS, '')).rejects.toMatchObject({ exitCode: 2 })
    await expect(compare(both, both, { 'eur.xml': order('EUR', 1) }, null)).rejects.toThrow(message)
  })
})
