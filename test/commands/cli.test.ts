import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { withFolder } from '../config/folder.ts'
import { ORDER, WAYBILL } from './given.ts'

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const FILES = { 'waybill.yaml': WAYBILL, 'types/order.yaml': ORDER, 'routes/none.yaml': '' }

describe('the command line as a process', () => {
  it.each<[string, readonly string[]]>([
    ['check', []],
    ['types show', ['order']],
    ['test', []],
  ])('%s ends as Unix tools do where nobody reads what it prints', async (words, operands) => {
    await withFolder(FILES, async (folder) => {
      const child = spawn(process.execPath, [CLI, ...words.split(' '), folder, ...operands])
      child.stdout.destroy()
      const [complaints, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
      expect({ code, complaints }).toEqual({ code: 141, complaints: expect.not.stringContaining('EPIPE') })
    })
  })
})
