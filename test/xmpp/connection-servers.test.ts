import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { attributeOf, childElements, type Element, textOf } from '../../src/domain/element.ts'
import { serialise } from '../../src/domain/serialise.ts'
import type { ConnectionOptions } from '../../src/xmpp/connection.ts'
import { eventually } from '../eventually.ts'
import { connectRawComponent } from '../servers/raw-component.ts'
import { type RunningXmppServer, startXmppServer } from '../servers/xmpp.ts'
import { connectionTo } from './scripted-server.ts'

const ping = { to: 'example.test', type: 'get', payload: `<ping xmlns="urn:xmpp:ping"/>`, timeoutMs: 5_000 } as const

for (const kind of ['prosody', 'ejabberd'] as const) {
  describe(`with ${kind}`, () => {
    let server: RunningXmppServer
    const cleanups: (() => Promise<unknown>)[] = []
    beforeAll(async () => {
      server = await startXmppServer(kind)
    })
    afterAll(() => server.stop())
    afterEach(async () => {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
    })

    function connect(more: Partial<ConnectionOptions> = {}) {
      const { port, domain, secret } = server.component('waybill')
      const connection = connectionTo(`xmpp://127.0.0.1:${port}`, { domain, secret, pingTo: 'example.test', ...more })
      cleanups.push(() => connection.stop(1_000))
      return connection
    }

    async function peer() {
      const component = await connectRawComponent(server.component('peer'))
      cleanups.push(async () => component.close())
      return component
    }

    it('attaches, and the host answers a ping', async () => {
      const connection = connect()
      await connection.start(() => {})
      expect(await connection.request(ping)).toMatchObject({ kind: 'result' })
      expect(
        await connection.request({ ...ping, to: 'pubsub.example.test', payload: `<odd xmlns="urn:odd"/>` }),
      ).toMatchObject({ kind: 'error' })
    })

    it.each([3_000, 12_000, 40_000, 140_000])('reads a stanza that is one tag of %i characters', async (length) => {
      const other = await peer()
      const connection = connect()
      await connection.start(() => {})
      connection.write(
        `<message to='peer.example.test' from='waybill.example.test' id='long'><x xmlns='u' a='${'x'.repeat(length)}'/></message>`,
      )
      const answer = connection.request({ ...ping, timeoutMs: 20_000 })
      await other.next((stanza) => stanza.includes('long'))
      expect(await answer).toMatchObject({ kind: 'result' })
    })

    it('the address is free again once it was stopped', async () => {
      for (let round = 0; round < 3; round += 1) {
        const connection = connect({ refusalAfterMs: 0 })
        await connection.start(() => {})
        await connection.stop(2_000)
      }
    })

    it('comes back by itself when the server was killed', async () => {
      const connection = connect({ firstPauseMs: 100 })
      await connection.start(() => {})
      const waiting = connection.request({ ...ping, to: 'peer.example.test', timeoutMs: 60_000 })
      await server.kill('SIGKILL')
      await eventually(() => !connection.online)
      expect((await waiting).kind).not.toBe('result')
      await server.start()
      await eventually(() => connection.online, { timeoutMs: 60_000 })
      expect(connection.stream).toBeGreaterThan(1)
      await eventually(async () => (await connection.request(ping)).kind === 'result')
    })

    it('a server that hangs is noticed', async () => {
      const connection = connect({ keepAliveMs: 200, pingTimeoutMs: 200, firstPauseMs: 50 })
      await connection.start(() => {})
      server.signal('SIGSTOP')
      await eventually(() => !connection.online)
      server.signal('SIGCONT')
      await eventually(() => connection.online)
      expect(connection.logged).toContainEqual({ level: 'warn', event: 'connection-lost', reason: 'silent' })
    })

    it('a wrong secret is refused in one sentence', async () => {
      const connection = connect({ secret: 'wrong', refusalAfterMs: 100 })
      await expect(connection.start(() => {})).rejects.toMatchObject({
        reason: 'not-authorized',
        message: expect.stringMatching(
          / as waybill\.example\.test: the server says not-authorized \(the secret is wrong\)$/,
        ),
      })
    })

    it('what another component sends arrives as it was meant, in both directions', async () => {
      const other = await peer()
      const stanzas: Element[] = []
      const connection = connect()
      await connection.start((stanza) => stanzas.push(stanza))
      const document = `<p:order xmlns:p='urn:po' p:n='a&amp;b&lt;c&quot;d'>]]&gt; ä€😀 &amp;amp;<p:line xmlns:q='urn:q' q:x='1'/></p:order>`
      // Again until it is there: ejabberd may still take the test before for one that is attached.
      const arrived = await eventually(() => {
        other.send(`<message id='m1' from='a@peer.example.test' to='waybill.example.test'>${document}</message>`)
        return stanzas[0]
      })
      const [order] = childElements(arrived) as [Element]
      expect([order.uri, order.name, textOf(order)]).toEqual(['urn:po', 'order', ']]> ä€😀 &amp;'])
      expect(attributeOf(order, 'n', 'urn:po')).toBe(`a&b<c"d`)
      expect(attributeOf(childElements(order)[0]!, 'x', 'urn:q')).toBe('1')
      connection.write(
        `<message from='waybill.example.test' to='a@peer.example.test' id='m2'>${serialise(order)}</message>`,
      )
      expect(await other.next((stanza) => stanza.includes('m2'))).toContain('ä€😀 &amp;amp;')
    })

    it("what is of XML's own namespace arrives as it was meant, and goes out again", async () => {
      const other = await peer()
      const stanzas: Element[] = []
      const connection = connect()
      await connection.start((stanza) => stanzas.push(stanza))
      const arrived = await eventually(() => {
        other.send(
          `<message from='peer.example.test' to='waybill.example.test'><xml:a xml:foo='1'><b xmlns='u'/></xml:a></message>`,
        )
        return stanzas[0]
      })
      const [a] = childElements(arrived) as [Element]
      const XML = 'http://www.w3.org/XML/1998/namespace'
      expect([a.uri, a.name, attributeOf(a, 'foo', XML), childElements(a)[0]!.uri]).toEqual([XML, 'a', '1', 'u'])
      connection.write(`<message from='waybill.example.test' to='peer.example.test' id='m1'>${serialise(a)}</message>`)
      expect(await other.next((stanza) => stanza.includes('m1'))).toContain(XML)
      expect(connection.stream).toBe(1)
    })

    const poison: readonly { what: string; payload: string }[] = [
      { what: 'deep', payload: `${'<a>'.repeat(3_000)}${'</a>'.repeat(3_000)}` },
      {
        what: 'full of attributes',
        payload: `<a ${Array.from({ length: 5_000 }, (_, at) => `a${at}='1'`).join(' ')}/>`,
      },
      { what: 'full of elements', payload: `<a xmlns='urn:a'>${'<b/>'.repeat(24_000)}</a>` },
      { what: 'with a prefix that nobody declared', payload: `<p:a/>` },
      { what: 'with an attribute twice', payload: `<a xmlns:p='u' xmlns:q='u' p:x='1' q:x='2'/>` },
      { what: 'with a name that is none', payload: `<a:b:c xmlns:a='u'/>` },
      {
        what: 'with a prefix of its own for xml',
        payload: `<a xmlns:x='http://www.w3.org/XML/1998/namespace' x:lang='en'/>`,
      },
      { what: "with an element of XML's own namespace", payload: `<xml:a/>` },
      { what: "with an attribute of XML's own namespace", payload: `<a xml:foo='x'/>` },
      { what: 'with a prefix that is declared empty', payload: `<a xmlns:p=''/>` },
      { what: 'with a line end in an attribute', payload: `<a x='1&#10;2&#13;3'>&#13;</a>` },
      { what: 'with a character that XML has not', payload: `<a>&#xFFFE;</a>` },
    ]
    for (const { what, payload } of poison) {
      it(`a stanza ${what} closes nobody's stream but its sender's`, async () => {
        const seen: (string | undefined)[] = []
        const connection = connect()
        await connection.start((stanza) => seen.push(attributeOf(stanza, 'id')))
        const sender = await peer()
        sender.send(`<message id='1' from='peer.example.test' to='waybill.example.test'>${payload}</message>`)
        const next = await connectRawComponent(server.component('other'))
        cleanups.push(async () => next.close())
        // ejabberd shares a domain's stanzas out while it still takes the test before for one that is attached.
        await eventually(() => {
          next.send(`<message id='2' from='other.example.test' to='waybill.example.test'><a/></message>`)
          return seen.includes('2')
        })
        // What the sender sent has been judged once its next stanza is through, or its own stream is closed.
        await eventually(() => {
          if (sender.received.some((stanza) => stanza.startsWith('<stream:error'))) return true
          sender.send(`<message id='3' from='peer.example.test' to='waybill.example.test'><a/></message>`)
          return seen.includes('3')
        })
        expect(connection.logged.filter(({ event }) => event === 'connection-lost')).toEqual([])
        expect(connection.stream).toBe(1)
      })
    }
  })
}

it('a second connection for an address in use replaces the first on Prosody, as its entry says (kick_old)', async () => {
  const server = await startXmppServer('prosody')
  try {
    const { port, domain, secret } = server.component('waybill')
    const options = { domain, secret, firstPauseMs: 60_000 }
    const [first, second] = [1, 2].map(() => connectionTo(`xmpp://127.0.0.1:${port}`, options)) as [
      ReturnType<typeof connectionTo>,
      ReturnType<typeof connectionTo>,
    ]
    await first.start(() => {})
    await second.start(() => {})
    await eventually(() =>
      first.logged.some(({ event, reason }) => event === 'connection-lost' && reason === 'conflict'),
    )
    expect(first.online).toBe(false)
    expect(second.online).toBe(true)
    await Promise.all([first.stop(1_000), second.stop(1_000)])
  } finally {
    await server.stop()
  }
})
