import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { doctor } from '../../src/commands/doctor.ts'
import { withFolder } from '../config/folder.ts'
import { keptOutput, WAYBILL } from './given.ts'

/** Nobody listens on port 1. */
const AWAY = 'redis: { url: "redis://127.0.0.1:1" }\n'

/** What doctor says where something answers at `http.listen`. */
async function examinedBeside(body: string) {
  const server = createServer((_, response) => void response.end(body))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const http = `http: { listen: "127.0.0.1:${(server.address() as AddressInfo).port}" }\n`
  try {
    return await withFolder({ 'waybill.yaml': WAYBILL + AWAY + http }, async (folder) => {
      const kept = keptOutput('json')
      const code = await doctor(folder, kept.output)
      return { code, parts: kept.json() as readonly { part: string; verdict: string; detail: string }[] }
    })
  } finally {
    server.close()
  }
}

it('where Redis refuses connections, doctor says so at once, and that nothing more can be asked', async () => {
  const beginMs = performance.now()
  const { code, parts } = await examinedBeside('{"parts": []}')
  expect(performance.now() - beginMs).toBeLessThan(4_000)
  expect(code).toBe(3)
  expect(parts.find(({ part }) => part === 'redis')).toMatchObject({
    verdict: 'wrong',
    detail: expect.stringContaining('127.0.0.1:1 refuses connections'),
  })
})

it.each(['hello', '[]', '{"status": "UP"}', 'null'])(
  'something else at http.listen is no Waybill: %s',
  async (body) => {
    const { code, parts } = await examinedBeside(body)
    expect(code).toBe(3)
    expect(parts.map(({ part, verdict }) => `${part} ${verdict}`)).toEqual([
      'configuration fine',
      'redis wrong',
      'xmpp not asked',
    ])
  },
)
