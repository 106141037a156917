import { describe, expect, it } from 'vitest'
import { createProof } from '../../src/xmpp/proof.ts'
import { eventually } from '../eventually.ts'
import { fakeConnection } from './fake-connection.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))
const pong = (ping: string, from = 'example.test') =>
  `<iq type='result' id='${/ id="([^"]*)"/.exec(ping)![1]}' from='${from}'/>`

describe('the hand-over proof', () => {
  it('is asked once for all that is written in a turn', async () => {
    const connection = fakeConnection()
    const prove = createProof(connection, 'example.test', 1_000)
    const proofs = [prove(), prove(), prove()]
    const ping = await eventually(() => connection.written[0])
    connection.receive(pong(ping))
    expect(await Promise.all(proofs)).toEqual(['handed-over', 'handed-over', 'handed-over'])
    expect(connection.written).toHaveLength(1)
  })

  it('counts from the server that was asked only', async () => {
    const connection = fakeConnection()
    const proof = createProof(connection, 'example.test', 30)()
    expect(connection.receive(pong(await eventually(() => connection.written[0]), 'mallory.example'))).toBe(false)
    expect(await proof).toBe('timeout')
  })

  it('is never asked on another stream than the one that was written to', async () => {
    const connection = fakeConnection()
    const prove = createProof(connection, 'example.test', 1_000)
    const before = prove()
    connection.lose('gone')
    connection.comeBack()
    expect(await before).toBe('lost')
    await turn()
    expect(connection.written).toEqual([])
  })

  it('of an older stream leaves a newer one alone', async () => {
    const connection = fakeConnection()
    const prove = createProof(connection, 'example.test', 1_000)
    const before = prove()
    connection.lose('gone')
    connection.comeBack()
    const after = prove()
    connection.receive(pong(await eventually(() => connection.written[0])))
    expect([await before, await after]).toEqual(['lost', 'handed-over'])
  })

  it('goes on after one that was lost', async () => {
    const connection = fakeConnection()
    const prove = createProof(connection, 'example.test', 1_000)
    const first = prove()
    await eventually(() => connection.written.length === 1)
    const second = prove()
    connection.lose('gone')
    expect([await first, await second]).toEqual(['lost', 'lost'])
    connection.comeBack()
    const third = prove()
    connection.receive(pong(await eventually(() => connection.written[1])))
    expect(await third).toBe('handed-over')
  })
})
