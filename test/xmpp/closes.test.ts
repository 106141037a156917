import { afterEach, describe, expect, it } from 'vitest'
import type { ConnectionOptions, StreamEvent } from '../../src/xmpp/connection.ts'
import { eventually } from '../eventually.ts'
import { connectionTo, type Peer, startScriptedServer, streamError } from './scripted-server.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const pong = (id: string) => `<iq type='result' id='${id}' from='example.test' to='waybill.example.test'/>`

/** Online, with one message and an answered request behind it, and two stanzas that have no answer yet. */
async function scene(more: Partial<ConnectionOptions> = {}) {
  const ids: string[] = []
  const server = await startScriptedServer({ iq: (_, id) => void ids.push(id) })
  cleanups.push(() => server.close())
  const connection = connectionTo(server.service, more)
  cleanups.push(() => connection.stop(100))
  const events: StreamEvent[] = []
  connection.onStream((event) => events.push(event))
  await connection.start(() => {})
  const ping = { to: 'example.test', type: 'get', payload: '<ping xmlns="urn:xmpp:ping"/>', timeoutMs: 5_000 } as const
  connection.write('<message id="had"/>')
  const had = connection.place
  const answered = connection.request(ping)
  server.peers[0]!.send(pong(await eventually(() => ids[0])))
  await answered
  connection.write('<message id="unproven"/>')
  const unproven = connection.place
  const request = connection.request(ping)
  await eventually(() => ids[1])
  const lost = () =>
    eventually(() => events.find((event): event is StreamEvent & { kind: 'lost' } => event.kind === 'lost'))
  return { server, connection, had, unproven, request, lost, peer: server.peers[0]! }
}

const POLICY = `<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>XML stanza is too big</text>`

const unexplained: readonly [string, (peer: Peer) => void, string][] = [
  [
    'policy-violation',
    (peer) => peer.send(streamError('policy-violation', POLICY)),
    'the server says policy-violation (XML stanza is too big)',
  ],
  ['not-well-formed', (peer) => peer.send(streamError('not-well-formed')), 'the server says not-well-formed'],
  ['internal-server-error', (peer) => peer.send(streamError('internal-server-error')), 'internal-server-error'],
  ['a condition of no RFC', (peer) => peer.send(streamError('too-tired')), 'the server says too-tired'],
  ['the end of the stream without a word', (peer) => peer.send('</stream:stream>'), 'the server closed the stream'],
  ['the end of the connection', (peer) => peer.socket.end(), 'the server closed the connection'],
  ['a reset of the connection', (peer) => peer.socket.resetAndDestroy(), 'ECONNRESET'],
]

const explained = [
  'system-shutdown',
  'reset',
  'conflict',
  'see-other-host',
  'host-gone',
  'host-unknown',
  'not-authorized',
  'connection-timeout',
]

describe('what was written may be why the stream was closed', () => {
  it.each(unexplained)('by %s: what the server was not known to have had', async (_what, end, said) => {
    const { peer, had, unproven, request, lost } = await scene()
    end(peer)
    const { closed } = await lost()
    expect(closed(had)).toBeUndefined()
    expect(closed(unproven)).toContain(said)
    expect(await request).toMatchObject({ kind: 'lost', closed: expect.stringContaining(said) })
  })

  it.each(explained)('but not by %s, which has its own reason', async (condition) => {
    const { peer, unproven, request, lost } = await scene()
    peer.send(streamError(condition))
    const { closed } = await lost()
    expect(closed(unproven)).toBeUndefined()
    expect(await request).toEqual({ kind: 'lost' })
  })

  it('but not by our own stop', async () => {
    const { connection, unproven, request, lost } = await scene()
    await connection.stop(100)
    expect((await lost()).closed(unproven)).toBeUndefined()
    expect(await request).toEqual({ kind: 'lost' })
  })

  it('by what the server sent and nobody can read: all of it, since that may be what came back', async () => {
    const { peer, had, unproven, lost } = await scene()
    peer.send('<message>&nbsp;</message>')
    const { closed } = await lost()
    expect([closed(had), closed(unproven)]).toEqual([expect.any(String), expect.any(String)])
  })
})

describe('a server that answers and closes the stream, again and again,', () => {
  it('is tried again after a pause that stays short', async () => {
    const server = await startScriptedServer({
      iq(peer, id) {
        peer.send(pong(id))
        peer.send(streamError('policy-violation'))
      },
    })
    cleanups.push(() => server.close())
    const connection = connectionTo(server.service, { firstPauseMs: 10 })
    cleanups.push(() => connection.stop(100))
    const began = performance.now()
    await connection.start(() => {})
    for (let stream = 1; stream <= 12; stream += 1) {
      await eventually(() => connection.online && connection.stream === stream, { what: `stream ${stream}` })
      const payload = '<ping xmlns="urn:xmpp:ping"/>'
      void connection.request({ to: 'example.test', type: 'get', payload, timeoutMs: 5_000 })
    }
    // Pauses that double each time would come to 20 seconds.
    expect(performance.now() - began).toBeLessThan(10_000)
  })
})
