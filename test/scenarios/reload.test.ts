import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import {
  acceptedId,
  attribute,
  type Installation,
  install,
  type LaunchedWaybill,
  launchWaybill,
  order,
  runWaybill,
} from './waybill.ts'

interface Line {
  readonly event: string
  readonly [detail: string]: unknown
}

describe('a change of the configuration while Waybill runs', () => {
  let at: Installation
  let file: string
  let good: string
  beforeAll(async () => {
    at = await install({ kind: 'prosody' })
    file = `${at.folder}/routes/routes.yaml`
    good = readFileSync(file, 'utf8')
  })
  afterAll(() => at?.stop())

  const lines = (event: string, { log }: Pick<LaunchedWaybill, 'log'> = at.waybill): readonly Line[] =>
    log()
      .split('\n')
      .filter((line) => line.includes(`"${event}"`))
      .map((line) => JSON.parse(line) as Line)

  /** As an editor saves it: a file of another name takes the place. Gives what is logged of it. */
  async function save(text: string, event = 'reloaded'): Promise<Line> {
    const before = lines(event).length
    writeFileSync(`${file}.new`, text)
    renameSync(`${file}.new`, file)
    await eventually(() => lines(event).length > before, { what: event })
    return lines(event).at(-1)!
  }

  /** Where a document is delivered to. */
  async function receiverOf(id: string): Promise<string | undefined> {
    const stanza = await at.other.next((one) => one.startsWith('<message') && attribute(one, 'id') === `${id}.0`)
    return attribute(stanza, 'to')
  }

  it('comes into force without being asked for, and the log says what is otherwise', async () => {
    expect(await receiverOf(acceptedId(await at.submit(order('one'))))).toBe('other.example.test')
    const added = '---\nkind: Route\nname: added\nwhen: { type: note }\ndeliver: [{ jid: x@other.example.test }]\n'
    const moved = good.replace('{ jid: other.example.test }', '{ jid: moved@other.example.test }')
    const { cause, changes } = await save(`${moved}${added}`)
    expect({ cause, changes }).toEqual({
      cause: 'change',
      changes: { routes: { added: ['added'], changed: ['orders'] } },
    })
    expect(await receiverOf(acceptedId(await at.submit(order('two'))))).toBe('moved@other.example.test')
    expect((await save(good)).changes).toEqual({ routes: { removed: ['added'], changed: ['orders'] } })
  })

  it('leaves nothing of the YAML in memory, as a start does', async () => {
    const hook = join(at.folder, 'count.mjs')
    const yaml = pathToFileURL(createRequire(import.meta.url).resolve('yaml'))
    writeFileSync(
      hook,
      `import { queryObjects } from 'node:v8'
       import yaml from '${yaml}'
       process.on('SIGUSR2', () => console.error(JSON.stringify({ event: 'counted', count: queryObjects(yaml.Document) })))`,
    )
    at.waybill.signal('SIGTERM')
    await at.waybill.ended
    at.waybill = await runWaybill(at.folder, { NODE_OPTIONS: `--import ${pathToFileURL(hook)}` })
    const documents = async () => {
      const before = lines('counted').length
      at.waybill.signal('SIGUSR2')
      await eventually(() => lines('counted').length > before, { what: 'the count' })
      return lines('counted').at(-1)!.count
    }
    await eventually(async () => (await documents()) === 0, { what: 'the YAML of the start to be gone' })
    await save(good.replace('{ jid: other.example.test }', '{ jid: moved@other.example.test }'))
    await eventually(async () => (await documents()) === 0, { what: 'the YAML of the reload to be gone' })
    await save(good)
  })

  it('is refused whole where one thing in it is wrong, with the reasons', async () => {
    const broken = good
      .replace('{ jid: other.example.test }', '{ jid: moved@other.example.test }')
      .replace('type: reading', 'type: raeding')
    const { problems } = await save(broken, 'reload-refused')
    expect(problems).toEqual([
      expect.stringMatching(/^routes\/routes\.yaml:\d+:\d+ {2}error {2}Unknown document type "raeding"/),
    ])
    expect(await receiverOf(acceptedId(await at.submit(order('three'))))).toBe('other.example.test')
    // As it was before: nothing is otherwise than what is in force.
    const before = lines('reloaded').length
    writeFileSync(file, good)
    at.waybill.signal('SIGHUP')
    await eventually(() => lines('reloaded').length > before)
    expect(lines('reloaded').at(-1)).toMatchObject({ cause: 'signal', changes: {} })
  })

  it('comes into force in a process that stands by as well, which goes on by it when it takes over', async () => {
    const standby = launchWaybill(at.folder)
    await eventually(() => lines('standby', standby).length > 0, { timeoutMs: 60_000, what: 'a standby' })
    const moved = good.replace('{ jid: other.example.test }', '{ jid: moved@other.example.test }')
    const { problems } = await save(moved.replace('type: reading', 'type: raeding'), 'reload-refused')
    await eventually(() => lines('reload-refused', standby).length > 0, { what: 'the refusal of the standby' })
    expect(lines('reload-refused', standby)).toMatchObject([{ cause: 'change', problems }])
    const { changes } = await save(moved)
    await eventually(() => lines('reloaded', standby).length > 0, { what: 'the change in the standby' })
    expect(lines('reloaded', standby)).toMatchObject([{ cause: 'change', changes }])
    expect(lines('reload-not-agreed')).toEqual([])
    standby.signal('SIGHUP')
    await eventually(() => lines('reloaded', standby).length > 1, { what: 'the answer to SIGHUP' })
    expect(lines('reloaded', standby).at(-1)).toMatchObject({ cause: 'signal', changes: {} })

    await at.kill()
    at.waybill = await standby.ready()
    expect(await receiverOf(acceptedId(await at.submit(order('standby'))))).toBe('moved@other.example.test')
    await save(good)
  })

  it('leaves what was decided before as it was decided', async () => {
    at.other.close()
    const id = acceptedId(await at.submit(order('four')))
    await eventually(async () => (await at.trace(id)).deliveries.some(({ attempts }) => attempts.length > 0))
    await save(good.replace('{ jid: other.example.test }', '{ jid: moved@other.example.test }'))
    const after = acceptedId(await at.submit(order('five')))
    const destinations = async (one: string) => (await at.trace(one)).deliveries.map(({ destination }) => destination)
    expect(await destinations(id)).toEqual(['other.example.test'])
    expect(await destinations(after)).toEqual(['moved@other.example.test'])
    await save(good)
  })

  it('says what needs a restart', async () => {
    const main = `${at.folder}/waybill.yaml`
    const before = readFileSync(main, 'utf8')
    writeFileSync(main, `${before}dedupe: { window: 5m }\n`)
    await eventually(() => lines('reload-needs-restart').length > 0)
    expect(lines('reload-needs-restart').at(-1)).toMatchObject({ settings: ['dedupe.window'] })
  })
})
