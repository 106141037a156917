import { afterEach, describe, expect, it } from 'vitest'
import type { StreamEvent } from '../../src/xmpp/connection.ts'
import { eventually } from '../eventually.ts'
import {
  type Behaviour,
  connectionTo,
  type ScriptedServer,
  startScriptedServer,
  streamError,
} from './scripted-server.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Our own port: held as the test says; `lose` and `retake` are told, `runOut` is found out only by who asks. */
function settableLease(held = true) {
  const listeners = new Set<(held: boolean) => void>()
  const set = (now: boolean, tell: boolean) => {
    lease.held = now
    if (tell) for (const listener of listeners) listener(now)
  }
  const lease = {
    held,
    wasOthers: false,
    onChange: (listener: (held: boolean) => void) => void listeners.add(listener),
    runOut: () => set(false, false),
    lose: () => set(false, true),
    retake: () => set(true, true),
  }
  return lease
}

type SettableLease = ReturnType<typeof settableLease>

async function attach(lease: SettableLease, behaviour: Behaviour = {}, refusalAfterMs = 15_000) {
  const server: ScriptedServer = await startScriptedServer(behaviour)
  const connection = connectionTo(server.service, { lease, refusalAfterMs })
  const stanzas: unknown[] = []
  const events: StreamEvent[] = []
  connection.onStream((event) => events.push(event))
  cleanups.push(() => server.close())
  cleanups.push(() => connection.stop(100))
  return { server, connection, stanzas, events, started: connection.start((stanza) => stanzas.push(stanza)) }
}

const message = (id: string) => `<message id='${id}'/>`

describe('a connection under a lease', () => {
  it('refuses the first write after the lease ran out, and drops the stream', async () => {
    const lease = settableLease()
    const { server, connection, events, started } = await attach(lease)
    await started
    expect(connection.write(message('before'))).toBe(true)
    await eventually(() => server.peers[0]!.text.includes('before'))
    lease.runOut()
    expect(connection.online).toBe(false)
    expect(connection.write(message('after'))).toBe(false)
    await eventually(() => events.length === 2)
    expect(events[1]).toMatchObject({ kind: 'lost', stream: 1, reason: 'lease-lost' })
    expect(server.peers[0]!.text).not.toContain('after')
    expect(server.peers).toHaveLength(1)
  })

  it('writes nothing of what was gathered when it ran out before the end of the turn', async () => {
    const lease = settableLease()
    const { server, connection, events, started } = await attach(lease)
    await started
    expect(connection.write(message('gathered'))).toBe(true)
    lease.runOut()
    await eventually(() => events.length === 2)
    expect(events[1]).toMatchObject({ kind: 'lost', reason: 'lease-lost' })
    expect(server.peers[0]!.text).not.toContain('gathered')
  })

  it('sends at most one piece of what waits for a slow server when it runs out', async () => {
    const lease = settableLease()
    const { server, connection, events, started } = await attach(lease)
    await started
    const { socket } = server.peers[0]!
    socket.pause()
    const piece = `<message>${'x'.repeat(60_000)}</message>`
    let written = server.peers[0]!.text.length
    while (connection.bufferedBytes < 4_000_000) {
      connection.write(piece)
      written += piece.length
      await new Promise((resolve) => setImmediate(resolve))
    }
    const waiting = connection.bufferedBytes
    lease.runOut()
    socket.resume()
    await eventually(() => events.length === 2 && socket.destroyed, { timeoutMs: 10_000 })
    // What the system had taken before still arrives, and the piece that it had taken half of.
    expect(server.peers[0]!.text.length).toBeLessThanOrEqual(written - waiting + 2 * piece.length)
  })

  it('hears nothing more either: what comes in would be answered', async () => {
    const lease = settableLease()
    const { server, events, stanzas, started } = await attach(lease)
    await started
    lease.runOut()
    server.peers[0]!.send(`<message from='a@example.test' to='waybill.example.test'/>`)
    await eventually(() => events.length === 2)
    expect(stanzas).toEqual([])
  })

  it('is dropped when the loss is told, and attaches again when the lease is taken again', async () => {
    const lease = settableLease()
    const { server, connection, started } = await attach(lease)
    await started
    lease.lose()
    await eventually(() => !connection.online && server.peers[0]!.socket.destroyed)
    lease.retake()
    await eventually(() => connection.online)
    expect(connection.stream).toBe(2)
    expect(server.peers).toHaveLength(2)
  })

  it('does not even say hello without a lease: a handshake would kick the holder', async () => {
    const lease = settableLease(false)
    const { server, connection, started } = await attach(lease)
    expect(connection.online).toBe(false)
    expect(server.peers).toEqual([])
    lease.retake()
    await started
    expect(server.peers).toHaveLength(1)
  })

  it('proves nothing where the lease ran out between the header and the handshake', async () => {
    const lease = settableLease()
    const { server } = await attach(lease, {
      header(peer) {
        lease.runOut()
        peer.send(
          `<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='s1'>`,
        )
      },
    }).then((made) => {
      made.started.catch(() => {})
      return made
    })
    await eventually(() => server.peers[0]?.socket.destroyed)
    expect(server.peers[0]!.text).not.toContain('<handshake')
  })

  it.each([
    ['where another process has held the lease, a conflict is waited out', true],
    ['where nobody else has held it, a conflict is believed', false],
  ])('%s', async (_, wasOthers) => {
    const lease = { ...settableLease(), wasOthers }
    const { server, connection, started } = await attach(
      lease,
      { handshake: (peer) => peer.send(streamError('conflict')) },
      50,
    )
    if (!wasOthers) {
      await expect(started).rejects.toMatchObject({ reason: 'conflict' })
      return
    }
    await eventually(() => server.peers.length >= 4)
    server.behave({})
    await started
    expect(connection.online).toBe(true)
  })
})
