import { describe, expect, it } from 'vitest'
import { isLoopback } from '../../src/domain/loopback.ts'
import { endpointOf } from '../../src/xmpp/socket.ts'

describe('the address of a server', () => {
  const fine: readonly [string, { host: string; port: number; secure: boolean }][] = [
    ['xmpp://127.0.0.1', { host: '127.0.0.1', port: 5347, secure: false }],
    ['xmpp://localhost:15347', { host: 'localhost', port: 15347, secure: false }],
    ['xmpps://xmpp.example.org:5348', { host: 'xmpp.example.org', port: 5348, secure: true }],
    ['xmpp://[::1]:5347', { host: '::1', port: 5347, secure: false }],
    ['xmpps://[2001:db8::1]', { host: '2001:db8::1', port: 5347, secure: true }],
  ]
  for (const [service, endpoint] of fine) it(service, () => expect(endpointOf(service)).toEqual(endpoint))

  for (const service of [
    '',
    'localhost',
    'localhost:5347',
    'http://localhost:5347',
    'xmpp:',
    'xmpp://:5347',
    'xmpp://host:port',
  ]) {
    it(`not: ${service}`, () => {
      expect(() => endpointOf(service)).toThrow(
        `Cannot attach to the server: its address is ${service}, not xmpp://HOST:PORT`,
      )
    })
  }

  it('loopback is this machine and nothing that looks like it', () => {
    const here = ['127.0.0.1', '127.1.2.3', '::1', 'localhost', 'LocalHost']
    const there = [
      '10.0.0.1',
      '127.example.org',
      '127.0.0.1.example.org',
      'localhost.example.org',
      '::',
      '0.0.0.0',
      '::2',
      '',
    ]
    expect(here.filter((host) => !isLoopback(host))).toEqual([])
    expect(there.filter(isLoopback)).toEqual([])
  })
})
