import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { pythonWith } from '../servers/python.ts'
import { type Installation, install, order } from './waybill.ts'

const run = promisify(execFile)
const SENDERS = fileURLToPath(new URL('../senders/', import.meta.url))
const README = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8')

describe.each(['prosody', 'ejabberd'] as const)('the senders of the README, through %s', (kind) => {
  let at: Installation
  let jid: string
  beforeAll(async () => {
    at = await install({ kind, settings: { senders: ['*@example.test'] } })
    jid = await at.server.addUser('shop', 'secret')
  })
  afterAll(() => at?.stop())

  const senders: readonly (readonly [program: string, file: string])[] = [
    [pythonWith('slixmpp', 'python3-slixmpp'), 'send.py'],
    [process.execPath, 'send.mjs'],
  ]
  it.each(senders)('%s %s sends a document and prints what became of it', async (program, script) => {
    const send = async (text: string) => {
      const file = join(at.folder, 'document.xml')
      writeFileSync(file, text)
      const words = [
        join(SENDERS, script),
        jid,
        'secret',
        '127.0.0.1',
        String(at.server.clientPort),
        'waybill.example.test',
        file,
      ]
      return (await run(program, words, { timeout: 90_000 })).stdout.trim()
    }
    const id = await send(order('S-1'))
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    await eventually(async () => (await at.trace(id)).state === 'delivered')
    expect(await send(order('S-2', { currency: 'euro' }))).toMatch(/^not-acceptable The document is not a valid order/)
  })

  it.each(['send.py', 'send.mjs'])('%s stands in the README as it is run here', (script) => {
    const lines = readFileSync(join(SENDERS, script), 'utf8').trim()
    expect(README).toContain(lines)
  })
})
