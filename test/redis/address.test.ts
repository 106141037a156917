import { expect, it } from 'vitest'
import { isSecure, loginOf, placeOf } from '../../src/redis/address.ts'

const prefix = 'waybill'
const place = { host: '10.0.0.1', port: 1 }

it.each([
  ['redis://127.0.0.1', { host: '127.0.0.1', port: 6379 }],
  ['rediss://redis.example.org:6380/3', { host: 'redis.example.org', port: 6380 }],
  ['redis://[::1]:7000', { host: '::1', port: 7000 }],
])('%s is that server', (url, expected) => {
  expect(placeOf(url)).toEqual(expected)
})

it.each([
  [{ url: 'redis://127.0.0.1' }, { database: 0 }],
  [{ url: 'redis://u%40x:p%2F@127.0.0.1/3' }, { user: 'u@x', password: 'p/', database: 3 }],
  [{ url: 'redis://:p@127.0.0.1' }, { password: 'p', database: 0 }],
  [
    { url: 'redis://u:p@127.0.0.1', user: 'v', password: 'q' },
    { user: 'v', password: 'q', database: 0 },
  ],
  [
    { url: 'redis://u:p@127.0.0.1/3', cluster: [place], user: 'v' },
    { user: 'v', database: 0 },
  ],
])('%o is asked as %o', (address, expected) => {
  expect(loginOf({ prefix, ...address })).toEqual(expected)
})

it.each([
  [{ url: 'redis://127.0.0.1' }, false],
  [{ url: 'rediss://127.0.0.1' }, true],
  [{ url: 'redis://127.0.0.1', tls: {} }, true],
  [{ url: 'rediss://127.0.0.1', cluster: [place] }, false],
  [{ url: 'redis://127.0.0.1', sentinels: { name: 'w', places: [place] }, tls: {} }, true],
])('%o is talked to in TLS: %s', (address, expected) => {
  expect(isSecure({ prefix, ...address })).toBe(expected)
})
