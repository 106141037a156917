import { createHash } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { attributeOf, childElements, type Element, textOf } from '../../src/domain/element.ts'
import type { Rejection } from '../../src/domain/rejection.ts'
import type { ConnectionOptions, StreamEvent } from '../../src/xmpp/connection.ts'
import { eventually } from '../eventually.ts'
import {
  type Behaviour,
  connectionTo,
  type LoggedConnection,
  type Peer,
  type ScriptedServer,
  startScriptedServer,
  streamError,
} from './scripted-server.ts'
import { HEADER } from './stream-text.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Scene {
  readonly server: ScriptedServer
  readonly connection: LoggedConnection
  readonly stanzas: Element[]
  readonly excesses: (Rejection | undefined)[]
  readonly events: StreamEvent[]
  /** Settles as `start` does. */
  readonly started: Promise<void>
  peer(): Peer
}

async function scene(behaviour: Behaviour = {}, more: Partial<ConnectionOptions> = {}): Promise<Scene> {
  const server = await startScriptedServer(behaviour)
  cleanups.push(() => server.close())
  const connection = connectionTo(server.service, more)
  cleanups.push(() => connection.stop(100))
  const stanzas: Element[] = []
  const excesses: (Rejection | undefined)[] = []
  const events: StreamEvent[] = []
  connection.onStream((event) => events.push(event))
  const started = connection.start((stanza, excess) => {
    stanzas.push(stanza)
    excesses.push(excess)
  })
  started.catch(() => {})
  return { server, connection, stanzas, excesses, events, started, peer: () => server.peers.at(-1)! }
}

async function online(behaviour: Behaviour = {}, more: Partial<ConnectionOptions> = {}): Promise<Scene> {
  const made = await scene(behaviour, more)
  await made.started
  return made
}

const bodyOf = (message: Element) => childElements(message).map(textOf).join('')
const ids = (stanzas: readonly Element[]) => stanzas.map((stanza) => attributeOf(stanza, 'id'))
const isBack = ({ connection }: Scene, stream: number) =>
  eventually(() => connection.online && connection.stream >= stream, { what: `stream ${stream}` })
const from = `from='a@example.test/x' to='waybill.example.test'`

describe('attaching', () => {
  it('says who it is and proves the secret, and nothing else before it is online', async () => {
    const early: (boolean | undefined)[] = []
    let made: Scene | undefined
    made = await scene({
      header(peer) {
        early.push(made?.connection.write('<message/>'))
        peer.send(HEADER)
      },
      handshake(peer) {
        early.push(made?.connection.write('<message/>'))
        peer.send('<handshake/>')
      },
    })
    await made.started
    const digest = createHash('sha1').update('s1s3cret').digest('hex')
    const { text } = made.peer()
    expect(text).toMatch(/^<\?xml version='1\.0'\?><stream:stream [^<>]*to="waybill\.example\.test"[^<>]*>/)
    expect(text.slice(text.indexOf('<handshake'))).toBe(`<handshake>${digest}</handshake>`)
    expect(early).toEqual([false, false])
  })

  it('stanzas that come in one piece with the handshake are heard, once it is online', async () => {
    const { stanzas, connection } = await online({
      handshake: (peer) => peer.send(`<handshake/><message id='1' ${from}/><message id='2' ${from}/>`),
    })
    await eventually(() => stanzas.length === 2)
    expect([ids(stanzas), connection.stream]).toEqual([['1', '2'], 1])
  })

  const dialects: readonly { stanza: string; heard: boolean }[] = [
    { stanza: `<message id='1' ${from}><body>1</body></message>`, heard: true },
    { stanza: `<message xmlns='jabber:component:accept' id='1' ${from}><body>1</body></message>`, heard: true },
    // The router of jabberd2.
    { stanza: `<message xmlns='jabber:client' id='1' ${from}><body>1</body></message>`, heard: true },
    { stanza: `<message xmlns='urn:example:other' id='1' ${from}><body>1</body></message>`, heard: false },
    { stanza: `<message xmlns='' id='1' ${from}><body>1</body></message>`, heard: false },
    { stanza: `<x:message xmlns:x='urn:example:other' id='1' ${from}/>`, heard: false },
  ]
  for (const { stanza, heard } of dialects) {
    it(`${stanza} is ${heard ? 'heard' : 'told of in the log'}`, async () => {
      const { stanzas, connection, peer } = await online()
      peer().send(`${stanza}<message id='2' ${from}/>`)
      await eventually(() => ids(stanzas).includes('2'))
      expect(ids(stanzas)).toEqual(heard ? ['1', '2'] : ['2'])
      const skipped = connection.logged.filter(({ event }) => event === 'stanza-skipped')
      expect(skipped).toHaveLength(heard ? 0 : 1)
    })
  }

  it('an answer to the handshake after three seconds is in time', async () => {
    const { connection } = await online({
      handshake: (peer) => void setTimeout(() => peer.send('<handshake/>'), 3_000),
    })
    expect(connection.online).toBe(true)
  })

  const mute: readonly { what: string; behaviour: Behaviour }[] = [
    { what: 'accepts and says nothing', behaviour: { header: () => {} } },
    { what: 'says nothing to the handshake', behaviour: { handshake: () => {} } },
    { what: 'answers the handshake with something else', behaviour: { handshake: (peer) => peer.send('<other/>') } },
    { what: 'sends half a header', behaviour: { header: (peer) => peer.send(HEADER.slice(0, 40)) } },
    { what: 'drops the connection', behaviour: { header: (peer) => void peer.socket.destroy() } },
    { what: 'closes the stream at once', behaviour: { header: (peer) => peer.send(`${HEADER}</stream:stream>`) } },
    { what: 'speaks HTML', behaviour: { header: (peer) => peer.send('<html>&nbsp;</html>') } },
    { what: 'sends what nobody may send', behaviour: { header: (peer) => peer.send(`<!DOCTYPE x>${HEADER}`) } },
  ]
  for (const { what, behaviour } of mute) {
    it(`a server that ${what} is tried again`, async () => {
      const made = await scene(behaviour, { openTimeoutMs: 150 })
      await eventually(() => made.server.peers.length > 1)
      expect(made.connection.online).toBe(false)
      made.server.behave({})
      await made.started
      expect(made.connection.stream).toBe(1)
    })
  }

  it('a server that is not there yet is waited for, without an end', async () => {
    const { port, close } = await startScriptedServer()
    await close()
    const connection = connectionTo(`xmpp://127.0.0.1:${port}`, { refusalAfterMs: 50 })
    cleanups.push(() => connection.stop(0))
    const started = connection.start(() => {})
    await eventually(() => connection.logged.filter(({ reason }) => reason === 'ECONNREFUSED').length > 4)
    const server = await startScriptedServer({}, undefined, port)
    cleanups.push(() => server.close())
    await started
  })
})

describe('a refusal at the first start', () => {
  const refusals: readonly [string, string][] = [
    ['not-authorized', 'the server says not-authorized (the secret is wrong)'],
    ['conflict', 'the server says conflict (another connection has this address)'],
    ['host-unknown', 'the server says host-unknown (it has no component of this name)'],
  ]
  for (const [condition, words] of refusals) {
    it(`${condition} is believed when it lasts`, async () => {
      const startedAt = performance.now()
      const { server, started, connection } = await scene(
        { handshake: (peer) => peer.send(streamError(condition)) },
        { refusalAfterMs: 200 },
      )
      await expect(started).rejects.toMatchObject({
        name: 'ConnectionRefused',
        reason: condition,
        message: `Cannot attach to ${server.service} as waybill.example.test: ${words}`,
      })
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(200)
      expect(server.peers.length).toBeGreaterThan(2)
      expect(connection.online).toBe(false)
    })
  }

  it('one that passes is forgotten', async () => {
    const { server, started } = await scene({ handshake: (peer) => peer.send(streamError('conflict')) })
    await eventually(() => server.peers.length > 1)
    server.behave({})
    await started
  })

  it('after it was online it is never believed', async () => {
    const made = await online({}, { refusalAfterMs: 0 })
    made.server.behave({ handshake: (peer) => peer.send(streamError('not-authorized')) })
    made.peer().send(streamError('conflict'))
    await eventually(() => made.server.peers.length > 3)
    made.server.behave({})
    await isBack(made, 2)
    expect(made.events).toMatchObject([
      { kind: 'online', stream: 1 },
      { kind: 'lost', stream: 1, reason: 'conflict' },
      { kind: 'online', stream: 2 },
    ])
  })

  it('plain TCP beyond loopback is refused at once, with what to do', async () => {
    const connection = connectionTo('xmpp://192.0.2.1:5347')
    await expect(connection.start(() => {})).rejects.toMatchObject({
      reason: 'insecure',
      message: expect.stringMatching(
        /^Cannot attach to xmpp:\/\/192\.0\.2\.1:5347: .* xmpps:\/\/, .* xmpp\.insecure: true/,
      ),
    })
    expect(connection.logged).toEqual([])
  })
})

describe('what comes in', () => {
  it('text with characters of two to four bytes arrives whole, wherever it is split', async () => {
    const { stanzas, peer } = await online()
    const text = 'aä€😀ñ漢𝄞z'
    const bytes = Buffer.from(`<message ${from}><body>${text}</body></message>`)
    for (let cut = 1; cut < bytes.length; cut += 1) {
      // The first part comes with a stanza of its own, so that it is known to be read before the second is sent.
      peer().socket.write(Buffer.concat([Buffer.from(`<presence id='${cut}'/>`), bytes.subarray(0, cut)]))
      await eventually(() => ids(stanzas).includes(String(cut)))
      peer().socket.write(bytes.subarray(cut))
      await eventually(() => stanzas.length === 2 * cut)
    }
    const bodies = stanzas.filter(({ name }) => name === 'message').map(bodyOf)
    expect(bodies).toEqual(Array.from({ length: bytes.length - 1 }, () => text))
  })

  it('nothing is answered behind our back, whatever address it comes from', async () => {
    const { stanzas, peer } = await online()
    const odd = ["from='@'", "from=''", "from='a@@b' to='@/'", `from='${'x'.repeat(2_000)}'`, '']
    for (const [at, address] of odd.entries()) peer().send(`<iq type='get' id='${at}' ${address}><q xmlns='u'/></iq>`)
    await eventually(() => stanzas.length === odd.length)
    const { text } = peer()
    expect(text.slice(text.indexOf('</handshake>'))).toBe('</handshake>')
  })

  it('a handler that throws is heard of, and the next stanza passes', async () => {
    const server = await startScriptedServer()
    cleanups.push(() => server.close())
    const connection = connectionTo(server.service)
    cleanups.push(() => connection.stop(100))
    const heard: unknown[] = []
    await connection.start((stanza) => {
      heard.push(attributeOf(stanza, 'id'))
      throw new Error('broken')
    })
    server.peers[0]!.send(`<message id='1' ${from}/><message id='2' ${from}/>`)
    await eventually(() => heard.length === 2)
    expect(connection.logged.filter(({ event }) => event === 'stanza-failed')).toHaveLength(2)
    expect(connection.online).toBe(true)
  })

  it('what a stranger writes into a stanza loses nobody else what is under way', async () => {
    const { excesses, peer, connection, events } = await online()
    const waiting = connection.request({ to: 'a@example.test', type: 'get', payload: '<a/>', timeoutMs: 5_000 })
    peer().send(`<message ${from}><p:a/></message><message p:z='1' ${from}/>`)
    peer().send(`<message ${from}><a xmlns='http://www.w3.org/XML/1998/namespace'/></message>`)
    await eventually(() => excesses.length === 3)
    expect(excesses.map((excess) => excess?.kind)).toEqual(['malformed', 'malformed', undefined])
    expect(connection.stream).toBe(1)
    expect(events.filter(({ kind }) => kind === 'lost')).toEqual([])
    await connection.stop(0)
    expect((await waiting).kind).toBe('lost')
  })

  it('a stanza that is too much comes without what is in it, and the stream goes on', async () => {
    const { stanzas, excesses, peer, connection } = await online({}, { maxStanzaBytes: 1_000 })
    peer().send(`<iq type='set' id='1' ${from}><a>${'x'.repeat(1_100_000)}</a></iq>`)
    peer().send(`<message id='2' ${from}>${'<a>'.repeat(1_001)}${'</a>'.repeat(1_001)}</message>`)
    peer().send(`<message id='3' ${from}><a/></message>`)
    await eventually(() => stanzas.length === 3)
    expect(stanzas.map(({ children }) => children.length)).toEqual([0, 0, 1])
    expect(excesses.map((excess) => excess?.kind)).toEqual(['too-large', 'too-deep', undefined])
    expect(connection.stream).toBe(1)
  })

  const faults: readonly { what: string; text: string; condition: string }[] = [
    { what: 'an undefined entity', text: `<message>&nbsp;</message>`, condition: 'not-well-formed' },
    { what: 'a DOCTYPE', text: `<!DOCTYPE x [<!ENTITY a 'b'>]>`, condition: 'restricted-xml' },
    { what: 'a comment', text: `<message><!-- --></message>`, condition: 'restricted-xml' },
    { what: 'a wrong end tag', text: `<message></iq>`, condition: 'not-well-formed' },
    { what: 'a stanza without an end', text: `<message>${'x'.repeat(17_000_000)}`, condition: 'policy-violation' },
    { what: 'depth without an end', text: `<message>${'<a>'.repeat(210_000)}`, condition: 'policy-violation' },
  ]
  for (const { what, text, condition } of faults) {
    it(`${what} closes the stream with ${condition}, and it comes back`, async () => {
      const made = await online()
      const first = made.peer()
      first.send(`<message id='1' ${from}/>${text}<message id='2' ${from}/>`)
      await isBack(made, 2)
      expect(ids(made.stanzas)).toEqual(['1'])
      expect(first.text).toMatch(new RegExp(`<stream:error><${condition} xmlns=".*</stream:error></stream:stream>$`))
      expect(made.connection.logged).toContainEqual({ level: 'error', event: 'connection-lost', reason: condition })
    })
  }

  it('a server that closes the stream is answered, and what it says after that is not read', async () => {
    const made = await online()
    const first = made.peer()
    first.send(`</stream:stream><message id='1' ${from}/>`)
    await isBack(made, 2)
    expect(first.text.endsWith('</stream:stream>')).toBe(true)
    expect(made.stanzas).toEqual([])
    expect(made.events[1]).toMatchObject({ kind: 'lost', stream: 1, reason: 'closed' })
  })

  it('a server that sends us elsewhere is not followed', async () => {
    const made = await online()
    const elsewhere = await startScriptedServer()
    cleanups.push(() => elsewhere.close())
    const error = `<see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>127.0.0.1:${elsewhere.port}</see-other-host>`
    made.peer().send(`<stream:error>${error}</stream:error></stream:stream>`)
    await isBack(made, 2)
    expect([elsewhere.peers.length, made.server.peers.length]).toEqual([0, 2])
  })
})

describe('what goes out', () => {
  it('stanzas are written in order, as they were given', async () => {
    const { connection, peer } = await online()
    const written = Array.from({ length: 500 }, (_, at) => `<message id="${at}">ä€😀</message>`)
    expect(written.every((xml) => connection.write(xml))).toBe(true)
    await eventually(() => peer().text.endsWith(written.join('')))
  })

  it('offline nothing is written, and nothing of it comes later', async () => {
    const made = await online()
    made.server.behave({ header: () => {} })
    made.peer().socket.destroy()
    await eventually(() => !made.connection.online)
    expect(made.connection.write('<message id="early"/>')).toBe(false)
    await eventually(() => made.server.peers.length > 1)
    expect(made.connection.write('<message id="early"/>')).toBe(false)
    made.server.behave({})
    for (const { socket } of made.server.peers) socket.destroy()
    await isBack(made, 2)
    expect(made.connection.write('<message id="late"/>')).toBe(true)
    await eventually(() => made.peer().text.includes('late'))
    expect(made.server.peers.some(({ text }) => text.includes('early'))).toBe(false)
  })

  it('what was given in the turn in which the connection ended is not written to the next', async () => {
    const made = await online()
    made.peer().socket.destroy()
    await eventually(() => {
      if (made.connection.online) made.connection.write('<message id="old"/>')
      return made.connection.stream === 1 && !made.connection.online
    })
    await isBack(made, 2)
    made.connection.write('<message id="new"/>')
    await eventually(() => made.peer().text.includes('new'))
    expect(made.peer().text).not.toContain('old')
  })

  it('who writes much can wait until it is taken', async () => {
    const { connection, peer } = await online()
    await connection.drained()
    peer().socket.pause()
    const xml = `<message>${'x'.repeat(1_000_000)}</message>`
    for (let count = 0; count < 12; count += 1) connection.write(xml)
    let drained = false
    const waiting = connection.drained().then(() => {
      drained = true
    })
    await eventually(() => connection.bufferedBytes > 1_048_576)
    expect(drained).toBe(false)
    peer().socket.resume()
    await waiting
    expect(connection.bufferedBytes).toBeLessThan(1_048_576)
    await eventually(() => peer().text.length > 12_000_000)
  })

  it('waiting ends with the stream', async () => {
    const { connection, peer } = await online()
    peer().socket.pause()
    for (let count = 0; count < 12; count += 1) connection.write(`<message>${'x'.repeat(1_000_000)}</message>`)
    const waiting = connection.drained()
    peer().socket.destroy()
    await waiting
    expect(connection.bufferedBytes).toBe(0)
  })

  it('a server that takes nothing any more is given up before memory is', async () => {
    const made = await online()
    made.peer().socket.pause()
    const xml = `<message>${'x'.repeat(1_000_000)}</message>`
    let count = 0
    while (made.connection.write(xml)) count += 1
    expect(count).toBeLessThan(80)
    await isBack(made, 2)
    expect(made.events[1]).toMatchObject({ kind: 'lost', stream: 1, reason: 'stalled' })
  })
})

describe('requests', () => {
  const ping = { to: 'example.test', type: 'get', payload: `<ping xmlns="urn:xmpp:ping"/>`, timeoutMs: 5_000 } as const

  it('the answer counts that has the id and comes from whom was asked; others are dropped', async () => {
    const { connection, stanzas } = await online({
      iq(peer, id) {
        peer.send(`<iq type='result' id='${id}' from='eve@example.test'/>`)
        peer.send(`<iq type='error' id='${id}'/>`)
        peer.send(`<iq type='result' id='${id}' from='Example.test' to='waybill.example.test'><right xmlns='u'/></iq>`)
        peer.send(`<iq type='result' id='${id}' from='example.test'/>`)
      },
    })
    const answer = await connection.request(ping)
    expect(answer).toMatchObject({ kind: 'result', element: { children: [{ name: 'right' }] } })
    await eventually(() => stanzas.length === 1)
    expect(connection.logged.filter(({ event }) => event === 'foreign-answer')).toHaveLength(2)
  })

  it('an error without words is an answer', async () => {
    const { connection } = await online({
      iq: (peer, id) => peer.send(`<iq type='error' id='${id}' from='example.test'/>`),
    })
    expect(await connection.request(ping)).toMatchObject({
      kind: 'error',
      answer: { condition: 'undefined-condition', type: 'cancel' },
    })
  })

  it('an error that the server sends back with the addresses of the request is its answer', async () => {
    const error = `<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`
    const { connection } = await online({
      iq: (peer, id) =>
        peer.send(
          `<iq xmlns='jabber:client' type='error' id='${id}' from='waybill.example.test' to='example.test'>${error}</iq>`,
        ),
    })
    const answer = await connection.request(ping)
    expect(answer).toMatchObject({ kind: 'error', answer: { condition: 'service-unavailable', type: 'cancel' } })
  })

  it('no answer is a time-out', async () => {
    const { connection } = await online()
    expect(await connection.request({ ...ping, timeoutMs: 30 })).toEqual({ kind: 'timeout' })
  })

  it('those that wait are lost with the stream, before anybody hears of the next', async () => {
    const made = await online()
    const waiting = [made.connection.request(ping), made.connection.request({ ...ping, to: 'other.example.test' })]
    await eventually(() => made.peer().text.includes('other.example.test'))
    made.peer().socket.destroy()
    expect(await Promise.all(waiting)).toMatchObject([{ kind: 'lost' }, { kind: 'lost' }])
    expect(made.connection.stream).toBe(1)
  })

  it('offline they are lost at once', async () => {
    const { connection } = await scene({ header: () => {} })
    expect(await connection.request(ping)).toEqual({ kind: 'lost' })
  })
})

describe('signs of life', () => {
  const quick = { keepAliveMs: 60, pingTimeoutMs: 60, pingTo: 'example.test' }

  it('a silent server is asked, and given up when it stays silent', async () => {
    const made = await online({}, quick)
    await isBack(made, 2)
    expect(made.server.peers[0]!.text).toMatch(
      /<iq type="get" [^>]*to="example.test"><ping xmlns="urn:xmpp:ping"\/><\/iq>$/,
    )
    expect(made.events[1]).toMatchObject({ kind: 'lost', stream: 1, reason: 'silent' })
  })

  it('a server that goes on talking and reads no more is given up, and what it has not read may be why', async () => {
    let reads = true
    const made = await online(
      { iq: (peer, id) => void (reads && peer.send(`<iq type='result' id='${id}' from='example.test'/>`)) },
      { ...quick, keepAliveMs: 300, pingTimeoutMs: 300 },
    )
    const { connection } = made
    const talking = setInterval(() => made.server.peers[0]!.send(`<message ${from}/>`), 10)
    cleanups.push(async () => clearInterval(talking))
    const asked = connection.request({
      to: 'example.test',
      type: 'get',
      payload: '<ping xmlns="urn:xmpp:ping"/>',
      timeoutMs: 5_000,
    })
    const read = connection.place
    expect((await asked).kind).toBe('result')
    reads = false
    connection.write('<message id="poison"/>')
    const poison = connection.place
    await isBack(made, 2)
    const lost = made.events.find((event) => event.kind === 'lost')!
    expect(lost).toMatchObject({ stream: 1, reason: 'silent' })
    expect([lost.closed(read), lost.closed(poison)]).toEqual([undefined, 'the server answered nothing for 600 ms'])
    expect(made.stanzas.length).toBeGreaterThan(0)
  })

  const answering: Behaviour = { iq: (peer, id) => peer.send(`<iq type='result' id='${id}' from='example.test'/>`) }
  const slow = { pingTo: 'example.test', keepAliveMs: 300, pingTimeoutMs: 150 }
  const ping = { to: 'example.test', type: 'get', payload: '<ping xmlns="urn:xmpp:ping"/>', timeoutMs: 1_000 } as const
  /** More than systems take in advance of a server that reads nothing. */
  const large = `<message to='a@example.test'><body>${'x'.repeat(6_000_000)}</body></message>`

  it('a server that takes a large stanza slowly is not given up', async () => {
    const { connection, server, events } = await online(answering, slow)
    const { socket } = server.peers[0]!
    socket.on('data', () => socket.pause())
    const taking = setInterval(() => socket.resume(), 25)
    cleanups.push(async () => clearInterval(taking))
    expect(await connection.request(ping)).toMatchObject({ kind: 'result' })
    connection.write(large)
    const began = performance.now()
    // What its own system has taken for it no longer counts as on its way.
    expect(await connection.request({ ...ping, timeoutMs: 30_000 })).toMatchObject({ kind: 'result' })
    expect(performance.now() - began).toBeGreaterThan(2 * (slow.keepAliveMs + slow.pingTimeoutMs))
    expect(events.map(({ kind }) => kind)).toEqual(['online'])
  })

  it('a server that takes nothing of a large stanza is given up, and that may be why', async () => {
    const made = await online(answering, slow)
    const { connection, server, events } = made
    expect(await connection.request(ping)).toMatchObject({ kind: 'result' })
    server.peers[0]!.socket.pause()
    connection.write(large)
    expect(await connection.request(ping)).toMatchObject({ kind: 'lost', closed: expect.stringContaining('nothing') })
    await isBack(made, 2)
    expect(events[1]).toMatchObject({ kind: 'lost', stream: 1, reason: 'silent' })
  })

  it('a server that sends a large stanza slowly is waited for, and so is what it answers behind that', async () => {
    const { connection, server, stanzas, events } = await online(answering, slow)
    expect(await connection.request(ping)).toMatchObject({ kind: 'result' })
    const peer = server.peers[0]!
    peer.socket.pause()
    const text = `<message id='large' ${from}><body>${'x'.repeat(900_000)}</body></message>`
    for (let at = 0; at < text.length; at += 20_000) {
      peer.send(text.slice(at, at + 20_000))
      await new Promise((resolve) => setTimeout(resolve, 30))
      if (at === 100_000) void connection.request(ping)
    }
    peer.socket.resume()
    await eventually(() => ids(stanzas).includes('large'))
    expect(await connection.request(ping)).toMatchObject({ kind: 'result' })
    expect(events.map(({ kind }) => kind)).toEqual(['online'])
  })

  const lively: readonly { what: string; answer: (id: string) => string }[] = [
    { what: 'a result', answer: (id) => `<iq type='result' id='${id}' from='example.test'/>` },
    { what: 'an error', answer: (id) => `<iq type='error' id='${id}' from='example.test'/>` },
    { what: 'something else', answer: () => ' ' },
  ]
  for (const { what, answer } of lively) {
    it(`a server that answers with ${what} is alive`, async () => {
      let asked = 0
      const { connection } = await online(
        {
          iq(peer, id) {
            asked += 1
            peer.send(answer(id))
          },
        },
        quick,
      )
      await eventually(() => asked > 2)
      expect([connection.online, connection.stream]).toEqual([true, 1])
    })
  }
})

describe('stopping', () => {
  it('what was written goes out, and the stream is closed', async () => {
    const { connection, peer, events } = await online()
    connection.write('<message id="last"/>')
    await connection.stop(2_000)
    expect(peer().text).toMatch(/<message id="last"\/><\/stream:stream>$/)
    expect(events.at(-1)).toMatchObject({ kind: 'lost', stream: 1, reason: 'closed' })
    expect(connection.write('<message/>')).toBe(false)
  })

  it('a server that never closes is left after the time given', async () => {
    const server = await startScriptedServer()
    cleanups.push(() => server.close())
    const connection = connectionTo(server.service)
    await connection.start(() => {})
    server.peers[0]!.socket.pause()
    const startedAt = performance.now()
    await connection.stop(100)
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })

  const states: readonly { what: string; behaviour: Behaviour; until: (made: Scene) => boolean }[] = [
    { what: 'while it opens', behaviour: { header: () => {} }, until: ({ server }) => server.peers.length > 0 },
    {
      what: 'between two tries',
      behaviour: { header: (peer) => void peer.socket.destroy() },
      until: ({ connection }) => connection.logged.some(({ event }) => event === 'connection-failed'),
    },
  ]
  for (const { what, behaviour, until } of states) {
    it(`${what} the start ends too, and nothing is tried any more`, async () => {
      const made = await scene(behaviour, { firstPauseMs: 100 })
      await eventually(() => until(made))
      await made.connection.stop(1_000)
      await expect(made.started).rejects.toThrow('it was stopped before it was online')
      const { length } = made.server.peers
      expect(made.connection.online).toBe(false)
      await expect(eventually(() => made.server.peers.length > length, { timeoutMs: 300 })).rejects.toThrow()
    })
  }

  it('what never was started can be stopped', async () => {
    await connectionTo('xmpp://127.0.0.1:1').stop(1_000)
  })
})
