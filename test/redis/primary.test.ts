import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { Place, RedisAddress } from '../../src/redis/address.ts'
import { primaryConnector } from '../../src/redis/primary.ts'
import { eventually } from '../eventually.ts'

/** What it says to a command, as RESP; undefined: nothing at all. */
type Answer = (words: readonly string[]) => string | undefined | Promise<string>

interface Scripted {
  readonly place: Place
  /** The commands that it was sent, with their arguments. */
  readonly asked: string[]
  answer: Answer
  connections: number
  /** Those that are open. */
  readonly sockets: ReadonlySet<Socket>
  close(): Promise<void>
}

const servers: Scripted[] = []
const connectors: { disconnect(): void }[] = []
afterEach(async () => {
  for (const connector of connectors.splice(0)) connector.disconnect()
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

const text = (value: string) => `$${Buffer.byteLength(value)}\r\n${value}\r\n`
const list = (...values: readonly string[]) => `*${values.length}\r\n${values.join('')}`
const whole = (value: number) => `:${value}\r\n`
const NOTHING = '*-1\r\n'
const OK = '+OK\r\n'

/** A server of which nothing is needed but its answers. */
async function scripted(answer: Answer = () => OK): Promise<Scripted> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    one.connections += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      for (const command of String(bytes).split(/^\*\d+\r\n/m)) {
        const words = command.split('\r\n').filter((_, at) => at % 2 === 1)
        if (words.length === 0) continue
        one.asked.push(words.join(' '))
        void Promise.resolve(one.answer(words)).then((said) => said !== undefined && socket.write(said))
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { readonly port: number }
  const one: Scripted = {
    place: { host: '127.0.0.1', port },
    asked: [],
    answer,
    connections: 0,
    sockets,
    async close() {
      for (const socket of sockets) socket.destroy()
      if (server.listening) await new Promise((resolve) => server.close(resolve))
    },
  }
  servers.push(one)
  return one
}

const PAUSE_MS = 5

/** Connects as ioredis does; `errors` are what it was told meanwhile, `pauses` after which of them it was tried again. */
function connecting(address: Omit<RedisAddress, 'prefix' | 'url'> & { readonly url?: string }) {
  const Connector = primaryConnector({ prefix: 'waybill', url: 'redis://127.0.0.1:1', ...address })
  const pauses: number[] = []
  const retryStrategy = (times: number) => {
    pauses.push(times)
    return PAUSE_MS
  }
  const connector = new Connector({ retryStrategy } as never)
  connectors.push(connector)
  const errors: string[] = []
  const connect = async () => {
    const stream = await connector.connect((_, error) => void errors.push(error.message))
    stream.on('error', () => {})
    return stream as Socket
  }
  return { connector, connect, errors, pauses }
}

const sentinelsAt = (places: readonly Place[], more = {}) => ({ sentinels: { name: 'orders', places, ...more } })
const knowing = ({ host, port }: Place): Answer => {
  return ([command]) => (command?.toUpperCase() === 'SENTINEL' ? list(text(host), text(String(port))) : OK)
}
const gone = async () => {
  const server = await scripted()
  await server.close()
  return server.place
}

describe('the way to a primary that sentinels know', () => {
  it('is asked for by the name, as who we are to sentinels, of the next one where one is gone', async () => {
    const primary = await scripted()
    const sentinel = await scripted(knowing(primary.place))
    const { connect, errors } = connecting({
      ...sentinelsAt([await gone(), sentinel.place], { user: 'watcher', password: 'w' }),
      user: 'waybill',
      password: 'p',
    })
    await connect()
    await eventually(() => primary.connections === 1)
    expect(sentinel.asked.join('\n')).toMatch(/auth watcher w$/im)
    expect(sentinel.asked.at(-1)).toMatch(/^sentinel GET-MASTER-ADDR-BY-NAME orders$/i)
    expect(errors).toEqual([])
    await eventually(() => sentinel.sockets.size === 0, { what: 'the sentinel to be left' })
  })

  it('is asked for again, anew each time, where none knows it, and says why', async () => {
    const primary = await scripted()
    const sentinel = await scripted(() => NOTHING)
    const nobody = await gone()
    const { connect, errors, pauses } = connecting(sentinelsAt([nobody, sentinel.place]))
    const connected = connect()
    await eventually(() => errors.length >= 2)
    sentinel.answer = knowing(primary.place)
    await connected
    const { port } = sentinel.place
    expect(errors[0]).toBe(
      `Cannot find the primary orders: 127.0.0.1:${nobody.port}: connect ECONNREFUSED 127.0.0.1:${nobody.port}; 127.0.0.1:${port}: the sentinel 127.0.0.1:${port} knows no orders`,
    )
    expect(pauses.slice(0, 2)).toEqual([1, 2])
    const other = await scripted()
    sentinel.answer = knowing(other.place)
    await connect()
    await eventually(() => other.connections === 1)
  })

  it('is not waited for at one that says nothing', async () => {
    const primary = await scripted()
    const [silent, sentinel] = [await scripted(() => undefined), await scripted(knowing(primary.place))]
    const { connect } = connecting(sentinelsAt([silent.place, sentinel.place]))
    await connect()
    await connect()
    await eventually(() => primary.connections === 2)
    expect(silent.connections, 'the one that has answered is asked first').toBe(1)
  })

  it('ends there where nobody wants it any more', async () => {
    const primary = await scripted()
    const sentinel = await scripted()
    const { connector, connect } = connecting(sentinelsAt([sentinel.place]))
    let tell = (_: string) => {}
    const told = new Promise<string>((resolve) => {
      tell = resolve
    })
    sentinel.answer = ([command]) => (command?.toUpperCase() === 'SENTINEL' ? told : OK)
    const connected = connect()
    await eventually(() => sentinel.asked.some((words) => /^sentinel/i.test(words)))
    connector.disconnect()
    tell(String(knowing(primary.place)(['SENTINEL'])))
    await expect(connected).rejects.toThrow('Connection is closed.')
    expect(primary.connections).toBe(0)
  })

  it('is given up where ioredis gives it up', async () => {
    const Connector = primaryConnector({ prefix: 'waybill', url: '', ...sentinelsAt([await gone()]) })
    const connector = new Connector({ retryStrategy: () => null } as never)
    await expect(connector.connect(() => {})).rejects.toThrow('Connection is closed.')
  })

  it('leads to no replica', async () => {
    const found = connecting(sentinelsAt([])).connector
    expect(found.check({ role: 'slave' })).toBe(false)
    expect(found.check({ role: 'master' })).toBe(true)
    expect(found.check({})).toBe(true)
    expect(connecting({}).connector.check({ role: 'slave' }), 'where one server alone is named').toBe(true)
  })
})

describe('the way to the node of a cluster', () => {
  const slots = (...ranges: readonly (readonly [number, number, string, number])[]): Answer => {
    const rows = ranges.map(([first, last, host, port]) =>
      list(whole(first), whole(last), list(text(host), whole(port))),
    )
    const answers: Readonly<Record<string, string>> = { SLOTS: list(...rows), KEYSLOT: whole(9) }
    return ([, what = '']) => answers[what.toUpperCase()] ?? OK
  }

  it.each([
    ['the first slot of its range', [0, 8], [9, 16_383]],
    ['the last slot of its range', [10, 16_383], [0, 9]],
  ])('is to the one that holds %s', async (_, [from, to], [first, last]) => {
    const holder = await scripted()
    const node = await scripted()
    const { port } = holder.place
    node.answer = slots([from!, to!, '127.0.0.1', node.place.port], [first!, last!, '127.0.0.1', port])
    await connecting({ cluster: [node.place] }).connect()
    await eventually(() => holder.connections === 1)
  })

  it('is to the one that was asked where it does not tell its own name', async () => {
    const node = await scripted()
    node.answer = slots([0, 16_383, '', node.place.port])
    await connecting({ cluster: [node.place] }).connect()
    await eventually(() => node.connections === 2)
  })

  it('is known by nodes that nobody has configured, when those that were are gone', async () => {
    const [node, other] = [await scripted(), await scripted()]
    node.answer = slots([0, 8, '127.0.0.1', node.place.port], [9, 16_383, '127.0.0.1', other.place.port])
    other.answer = slots([0, 16_383, '127.0.0.1', other.place.port])
    const { connect } = connecting({ cluster: [node.place] })
    await connect()
    await node.close()
    await connect()
    await eventually(() => other.connections === 3)
  })

  it('is told of where no node holds the slot', async () => {
    const node = await scripted(slots([0, 8, '127.0.0.1', 1]))
    const { connect, errors, connector } = connecting({ cluster: [node.place] })
    const connected = connect()
    await eventually(() => errors.length > 0)
    connector.disconnect()
    await expect(connected).rejects.toThrow('Connection is closed.')
    expect(errors[0]).toContain('no node of the cluster holds slot 9')
  })
})

describe('plain TCP', () => {
  it.each([
    ['redis://192.0.2.1:6379', '192.0.2.1:6379'],
    ['redis://[2001:db8::1]:6379', '[2001:db8::1]:6379'],
  ])('to %s is refused beyond loopback', async (url, place) => {
    const { connect, errors, connector } = connecting({ url })
    const connected = connect()
    await eventually(() => errors.length > 0)
    connector.disconnect()
    await expect(connected).rejects.toThrow('Connection is closed.')
    expect(errors[0]).toBe(`Cannot connect to ${place}: plain TCP beyond loopback needs TLS, or redis.insecure: true`)
  })

  it('is taken where that is allowed', async () => {
    const { connect, errors } = connecting({ url: 'redis://192.0.2.1:6379', insecure: true })
    ;(await connect()).destroy()
    expect(errors).toEqual([])
  })
})
