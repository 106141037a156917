import { afterEach, expect, it } from 'vitest'
import { runCommand } from '../../src/commands/program.ts'
import { withFolder } from '../config/folder.ts'
import { accepted, closeStores, freshPrefix, openTestStore, plan } from '../redis/fixtures.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'

let redis: RunningRedis | undefined
afterEach(async () => {
  await closeStores()
  await redis?.stop()
})

it('Redis that goes away in the midst of a command is the environment, and told in words behind what was done', async () => {
  redis = await startRedis()
  const { url } = redis
  const prefix = freshPrefix()
  const store = await openTestStore(url, { prefix })
  for (let number = 0; number < 20; number++) {
    const id = await accepted(store, { deliveries: [plan()] })
    await store.start([`${id}.0`], [])
    const record = { atMs: Date.now(), result: 'forbidden' }
    await store.end({ id: `${id}.0`, kind: 'dead', reason: 'refused', record })
  }
  const settings = `xmpp: { service: "xmpp://127.0.0.1:1", domain: w.example, host: example, secret: s }
redis: { url: "${url}", prefix: ${prefix}, durability: everysec }
`
  await withFolder({ 'waybill.yaml': settings }, async (folder) => {
    const out: string[] = []
    const err: string[] = []
    const words = ['dead', folder, 'redrive', '--all', '--reason', 'refused', '--yes']
    const code = await runCommand(words, {
      out(text) {
        redis!.signal('SIGKILL')
        out.push(text)
      },
      err: (text) => void err.push(text),
    })
    expect(code).toBe(3)
    expect(out.join('')).toContain('is on its way again')
    expect(err.join('')).toMatch(/^Cannot [^\n]+\n$/)
    expect(err.join('')).not.toContain('maxRetriesPerRequest')
  })
})
