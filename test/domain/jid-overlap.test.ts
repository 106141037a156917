import { describe, expect, it } from 'vitest'
import { jidPattern } from '../../src/domain/jid.ts'
import { patternsOverlap } from '../../src/domain/jid-overlap.ts'

describe('two JID patterns', () => {
  it.each([
    ['a@x.example', 'a@x.example'],
    ['A@X.example', 'a@x.example'],
    ['*@x.example', 'a@x.example'],
    ['*@x.example', '*@x.example'],
    ['*@*', '*@x.example'],
    ['a*@x.example', '*b@x.example'],
    ['a*c@x.example', 'ab*@x.example'],
    ['a@*.example', 'a@x.*'],
    ['*', 'x.example'],
    ['a@x.example/desk', 'a@x.example'],
    ['a@x.example/*', 'a@x.example/desk'],
    ['a**b@x.example', 'ab@x.example'],
  ])('%s and %s have a JID in common', (one, other) => {
    expect([patternsOverlap(one, other), patternsOverlap(other, one)]).toEqual([true, true])
  })

  it.each([
    ['a@x.example', 'b@x.example'],
    ['*@x.example', 'x.example'],
    ['*@x.example', '*@y.example'],
    ['*', '*@*'],
    ['a*@x.example', 'b*@x.example'],
    ['*a@x.example', '*b@x.example'],
    ['*@*.x.example', 'a@x.example'],
    ['a@x.example/desk', 'a@x.example/web'],
    ['ab*ba@x.example', 'aba@x.example'],
  ])('%s and %s have none', (one, other) => {
    expect([patternsOverlap(one, other), patternsOverlap(other, one)]).toEqual([false, false])
  })

  it('of few letters overlap exactly where one of all short texts matches both', () => {
    const texts = ['a', 'b', 'aa', 'ab', 'ba', 'bb', ...['aaa', 'aab', 'aba', 'abb', 'baa', 'bab', 'bba', 'bbb']]
    const locals = ['a', 'b', '*', 'a*', '*a', '*b', 'a*b', 'b*', 'ab', '*a*', 'b*a', 'ab*', '*ba']
    for (const one of locals)
      for (const other of locals) {
        const [first, second] = [jidPattern(`${one}@x`)!, jidPattern(`${other}@x`)!]
        const isMet = texts.some((text) => first(`${text}@x`) && second(`${text}@x`))
        expect(`${one} ${other} ${patternsOverlap(`${one}@x`, `${other}@x`)}`).toBe(`${one} ${other} ${isMet}`)
      }
  })
})
