import { describe, expect, it } from 'vitest'
import { formats, parseListenAddress, parseXmppAddress } from '../../src/config/formats.ts'
import { parseTimespan } from '../../src/config/timespan.ts'
import { nearest } from '../../src/domain/nearest.ts'

describe('a duration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    ['1.5s', 1_500],
    ['1h30m', 5_400_000],
    ['PT10M', 600_000],
    ['P1D', 86_400_000],
    ['P1DT12H', 129_600_000],
    ['P2W', 1_209_600_000],
    ['PT0.5S', 500],
  ])('%s is %d ms', (text, expected) => {
    expect(parseTimespan(text)).toBe(expected)
  })

  it.each([
    '',
    '10',
    'm',
    '10 m',
    '-1s',
    '10M',
    '1y',
    'P',
    'PT',
    'P1Y',
    'P1M',
    'P1DT',
    'PT1',
    'pt1s',
    '1e3s',
    '9'.repeat(30).concat('d'),
  ])('%j is none', (text) => {
    expect(parseTimespan(text)).toBeUndefined()
  })
})

describe('an address', () => {
  it('of the server has a host, a port and perhaps TLS', () => {
    expect(parseXmppAddress('xmpp://localhost')).toEqual({ secure: false, host: 'localhost', port: 5347 })
    expect(parseXmppAddress('xmpps://[::1]:5348')).toEqual({ secure: true, host: '::1', port: 5348 })
    for (const text of [
      'xmpp:localhost',
      'xmpp://',
      'xmpp://h:0',
      'xmpp://h:70000',
      'xmpp://u:p@h',
      'xmpp://h/p',
      'http://h',
    ]) {
      expect(parseXmppAddress(text), text).toBeUndefined()
    }
  })

  it('to listen on has a port, 0 for any', () => {
    expect(parseListenAddress('0.0.0.0:0')).toEqual({ host: '0.0.0.0', port: 0 })
    for (const text of ['8480', ':8480', 'h:', 'h:x', '::1:80', 'h:65536'])
      expect(parseListenAddress(text), text).toBeUndefined()
  })
})

describe('a format', () => {
  const table: readonly (readonly [name: string, accepted: readonly string[], refused: readonly string[]])[] = [
    [
      'redis-address',
      ['redis://h', 'rediss://u:p@h:1/2', 'redis://[::1]:6379'],
      ['h:6379', 'http://h', 'redis://h/x', 'redis:'],
    ],
    ['domain', ['a.example', 'A.example', '[::1]'], ['a@b.example', 'a.example/r', 'a b', '']],
    ['bare-jid', ['a@b.example', 'b.example'], ['a@b.example/r', '@b', '']],
    ['jid', ['a@b.example/r s'], ['a@', 'a@b/', ' a@b']],
    ['jid-pattern', ['*@b.example', 'a*@*.example/r*', '*.example'], ['@b', 'a@', '*@b/']],
    ['expanded-name', ['{urn:a}b', 'b', '{urn:a}élan', '_b.c-d'], ['{}b', '{urn:a}', 'a b', '1a', 'p:a', '{urn a}b']],
    ['json-pointer', ['', '/', '/a/0', '/a~0~1'], ['a', '/a~2', '#/a']],
    ['media-type', ['image/png', 'application/atom+xml'], ['image', 'image/png; q=1', '*/*', 'a/b/c']],
    ['expression', ['a{3}', '(?<x>a)'], ['(', 'a{3', '[z-a]', '\\q']],
    [
      'destination',
      ['a@b.example', 'xmpp:p.example?;node=a/b', 'xmpp:p.example?;node=a;b=c'],
      ['xmpp:p.example', 'xmpp:?;node=a', 'xmpp:p.example?;node=', ''],
    ],
  ]
  it.each(table)('%s takes what it should, and nothing else', (name, accepted, refused) => {
    const { accepts } = formats[name]!
    expect(accepted.filter((text) => !accepts(text))).toEqual([])
    expect(refused.filter(accepts)).toEqual([])
  })
})

describe('the nearest known word', () => {
  const known = ['senders', 'admins', 'limits', 'dedupe', 'xml', 'json', 'item-not-found']
  it.each([
    ['sendrs', 'senders'],
    ['Senders', 'senders'],
    ['sedners', 'senders'],
    ['admin', 'admins'],
    ['dedup', 'dedupe'],
    ['xlm', 'xml'],
    ['item_not_found', 'item-not-found'],
    ['zzz', undefined],
    ['documents', undefined],
    ['', undefined],
  ])('to %j is %j', (word, expected) => {
    expect(nearest(word, known)).toBe(expected)
  })
})
