import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { type Link, openLink } from './link.ts'

/** A server that keeps what it gets, and a client that does, with the link between them. */
let server: Server
let link: Link
let client: Socket
let far: Socket
const heard = { near: '', far: '' }
let isReset = false

beforeEach(async () => {
  Object.assign(heard, { near: '', far: '' })
  isReset = false
  const accepted = new Promise<Socket>((resolve) => {
    server = createServer(resolve)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  link = await openLink((server.address() as { port: number }).port, { carriesStanzas: true })
  client = connect(link.port, '127.0.0.1')
  client
    .on('error', () => {})
    .on('close', () => {
      isReset = true
    })
  client.on('data', (text) => {
    heard.near += text
  })
  far = await accepted
  far
    .on('error', () => {})
    .on('data', (text) => {
      heard.far += text
    })
})
afterEach(() => {
  link.close()
  client.destroy()
  far.destroy()
  server.close()
})

const comes = (side: 'near' | 'far', text: string) => eventually(() => heard[side] === text)

describe('a link', () => {
  it('carries bytes as they are, stanza by stanza on the way back', async () => {
    client.write('<a>é')
    await comes('far', '<a>é')
    far.write("<stream><m>1</m> <m b='/>'>")
    await comes('near', '<stream><m>1</m>')
    far.write('ü</m>')
    await comes('near', "<stream><m>1</m> <m b='/>'>ü</m>")
  })

  it('is cut half-way through what goes next', async () => {
    const cut = link.cut('there', 0.5)
    client.write('<m>whole</m>')
    await eventually(() => isReset)
    await comes('far', '<m>who')
    await cut
  })

  it('is reset where nothing goes', async () => {
    await link.cut('back', 0.5)
    await eventually(() => isReset)
  })

  it('stalls, and loses nothing by it', async () => {
    client.write('1')
    await comes('far', '1')
    const goOn = link.stall()
    client.write('2')
    await expect(eventually(() => heard.far === '12', { timeoutMs: 100 })).rejects.toThrow()
    goOn()
    await comes('far', '12')
  })

  it('loses what goes one way, and is reset in the end', async () => {
    const stop = link.lose('back')
    far.write('<stream><m/>')
    client.write('1')
    await comes('far', '1')
    stop()
    await eventually(() => isReset)
    expect(heard.near).toBe('')
  })

  it('loses and delays whole stanzas', async () => {
    far.write('<stream>')
    await comes('near', '<stream>')
    const stop = link.sift((stanza) => {
      if (stanza.startsWith('<lost')) return { kind: 'lose' }
      return stanza.startsWith('<late') ? { kind: 'delay', ms: 30 } : { kind: 'pass' }
    })
    far.write('<lost/><late/><m/>')
    await comes('near', '<stream><m/><late/>')
    stop()
    far.write('<lost/>')
    await comes('near', '<stream><m/><late/><lost/>')
  })
})
