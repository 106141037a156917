import { describe, expect, it } from 'vitest'
import { bareJid, escapeLocalpart, formatJid, jidPattern, normaliseJid, parseJid } from '../../src/domain/jid.ts'
import { processorMs } from '../processor.ts'

const valid: readonly (readonly [text: string, normalised: string])[] = [
  ['example.org', 'example.org'],
  ['a@example.org', 'a@example.org'],
  ['a@example.org/desk', 'a@example.org/desk'],
  ['example.org/desk', 'example.org/desk'],
  ['A@Example.ORG/Desk', 'a@example.org/Desk'],
  ['a@example.org.', 'a@example.org'],
  ['a@example.org./x', 'a@example.org/x'],
  ['a@example.org/x@y/z', 'a@example.org/x@y/z'],
  ['a@example.org/ x ', 'a@example.org/ x '],
  ['a@example.org/a\u00a0b', 'a@example.org/a b'],
  ['a@example.org/e\u0301', 'a@example.org/\u00e9'],
  ['e\u0301@example.org', '\u00e9@example.org'],
  ['\u00c9@example.org', '\u00e9@example.org'],
  ['ｅｒｐ@example.org', 'erp@example.org'],
  ['a@ｅxample.org', 'a@example.org'],
  ['a@example\uff0eorg', 'a@example.org'],
  ['\u212a@example.org', 'k@example.org'],
  ['stra\u00dfe@example.org', 'stra\u00dfe@example.org'],
  ['\u0391@\u03b2.gr', '\u03b1@\u03b2.gr'],
  ['日本@例.jp', '日本@例.jp'],
  ['a\\20b@example.org', 'a\\20b@example.org'],
  ['a.b+c=d!#$%*?^_`{|}~-@example.org', 'a.b+c=d!#$%*?^_`{|}~-@example.org'],
  ['a@127.0.0.1', 'a@127.0.0.1'],
  ['a@[::1]', 'a@[::1]'],
  ['a@[2001:DB8::1]/x', 'a@[2001:db8::1]/x'],
  ['a@localhost', 'a@localhost'],
  [`${'a'.repeat(1023)}@e.example`, `${'a'.repeat(1023)}@e.example`],
  [`a@e.example/${'é'.repeat(511)}`, `a@e.example/${'é'.repeat(511)}`],
]

const invalid: readonly (readonly [why: string, text: string])[] = [
  ['empty', ''],
  ['no localpart before the @', '@example.org'],
  ['no domain after the @', 'a@'],
  ['only an @', '@'],
  ['no resource after the /', 'a@example.org/'],
  ['only a /', '/'],
  ['no domain before the /', '/x'],
  ['two @ in the bare part', 'a@b@c'],
  ['white space in the localpart', 'a b@example.org'],
  ['white space in the domain', 'a@exa mple.org'],
  ['a newline at the end', 'a@example.org\n'],
  ['a newline in the localpart', 'a\nb@example.org'],
  ['a control character in the localpart', 'a\u0000@example.org'],
  ['a delete character in the localpart', 'a\u007f@example.org'],
  ['a control character in the domain', 'a@exa\u0001mple.org'],
  ['a control character in the resource', 'a@example.org/\u0007'],
  ['a newline in the resource', 'a@example.org/a\nb'],
  ['a line separator in the resource', 'a@example.org/a\u2028b'],
  ['half of a surrogate pair in the localpart', '\ud83d@example.org'],
  ['half of a surrogate pair in the resource', 'a@example.org/\ud83d'],
  ['a quotation mark in the localpart', 'a"b@example.org'],
  ['an ampersand in the localpart', 'a&b@example.org'],
  ['an apostrophe in the localpart', "a'b@example.org"],
  ['a colon in the localpart', 'a:b@example.org'],
  ['an angle bracket in the localpart', 'a<b@example.org'],
  ['an angle bracket in the domain', 'a@exa<mple.org'],
  ['a slash that width mapping makes', 'a\uff0fb@example.org'],
  ['an @ that width mapping makes', 'a\uff20b@example.org'],
  ['a slash that NFKC makes in the domain', 'a@ex\u2100.org'],
  ['a domain of one dot', 'a@.'],
  ['an empty label in front', 'a@.example.org'],
  ['an empty label within', 'a@example..org'],
  ['an empty label at the end', 'a@example.org..'],
  ['an empty label that width mapping makes', 'a@example.org.\uff0e'],
  ['a port', 'a@example.org:5222'],
  ['a URI', 'xmpp:a@example.org'],
  ['a URI of a node', 'xmpp:pubsub.example.org?;node=a'],
  ['an address literal that is never closed', 'a@[::1'],
  ['an address literal with letters of no number', 'a@[gggg]'],
  ['a star in the domain', 'a@*.org'],
  ['a localpart of 1,024 bytes', `${'a'.repeat(1024)}@e.example`],
  ['a localpart of 1,024 bytes in 512 letters', `${'é'.repeat(512)}@e.example`],
  ['a domain of 1,024 bytes', 'd'.repeat(1024)],
  ['a resource of 1,024 bytes', `a@e.example/${'é'.repeat(512)}`],
]

describe('a JID', () => {
  it.each(valid)('%s is normalised to %s', (text, normalised) => {
    expect(normaliseJid(text)).toBe(normalised)
  })

  it('is the same address however often it comes, and however many others have come between', () => {
    const known = 'till@shop.example/1'
    const addresses = [known, ...Array.from({ length: 10_000 }, (_, at) => `s${at}@shop.example`), known]
    expect(addresses.filter((text) => normaliseJid(text) !== text)).toEqual([])
    expect(normaliseJid('TILL@shop.example/1')).toBe(known)
    expect(normaliseJid('TILL@shop.example/1')).toBe(known)
    expect(normaliseJid('@shop.example')).toBe(undefined)
    expect(normaliseJid('@shop.example')).toBe(undefined)
  })

  it.each(invalid)('is not: %s', (_, text) => {
    expect(parseJid(text)).toBeUndefined()
  })

  it('stays as it is when it is normalised again, whatever the letter', () => {
    const changed: string[] = []
    for (let code = 0; code < 0x20000; code++) {
      const letter = String.fromCodePoint(code)
      for (const text of [`a${letter}@e.example`, `a${letter}.example`, `e.example/a${letter}`]) {
        const once = normaliseJid(text)
        if (once !== undefined && normaliseJid(once) !== once) changed.push(text)
      }
    }
    expect(changed).toEqual([])
  })

  it('is put together from its parts as it was taken apart', () => {
    for (const [, normalised] of valid) expect(formatJid(parseJid(normalised)!)).toBe(normalised)
  })

  it.each([
    ['a@example.org/desk', 'a@example.org'],
    ['a@example.org', 'a@example.org'],
    ['example.org/a@b/c', 'example.org'],
  ])('%s without its resource is %s', (full, bare) => {
    expect(bareJid(full)).toBe(bare)
  })
})

describe('a localpart', () => {
  // The first rows are the examples of XEP-0106.
  it.each([
    ['space cadet', 'space\\20cadet'],
    ['call me "ishmael"', 'call\\20me\\20\\22ishmael\\22'],
    ['at&t guy', 'at\\26t\\20guy'],
    ["d'artagnan", 'd\\27artagnan'],
    ['/.fanboy', '\\2f.fanboy'],
    ['::foo::', '\\3a\\3afoo\\3a\\3a'],
    ['<foo>', '\\3cfoo\\3e'],
    ['user@host', 'user\\40host'],
    ['c:\\net', 'c\\3a\\net'],
    ['c:\\\\net', 'c\\3a\\\\net'],
    ['c:\\cool stuff', 'c\\3a\\cool\\20stuff'],
    ['c:\\5commas', 'c\\3a\\5c5commas'],
    ['plain', 'plain'],
    ['\\20', '\\5c20'],
    ['\\5C', '\\5c5C'],
    ['\\\\2f', '\\\\5c2f'],
    ['', ''],
  ])('escapes %j to %j', (text, escaped) => {
    expect(escapeLocalpart(text)).toBe(escaped)
  })

  it('is fit for a JID once it is escaped, and no two texts become one', () => {
    const alphabet = ['\\', '2', '0', '4', '5', 'c', '@', ' ', '/']
    const seen = new Map<string, string>()
    for (const a of alphabet)
      for (const b of alphabet)
        for (const c of alphabet) {
          for (const d of alphabet) {
            const escaped = escapeLocalpart(a + b + c + d)
            expect(normaliseJid(`${escaped}@e.example`)).toBe(`${escaped}@e.example`)
            expect(seen.get(escaped)).toBeUndefined()
            seen.set(escaped, a + b + c + d)
          }
        }
  })
})

type PatternRow = readonly [pattern: string, should: readonly string[], shouldNot: readonly string[]]

const patterns: readonly PatternRow[] = [
  [
    'a@x.example',
    ['a@x.example', 'a@x.example/r', 'a@x.example/r/s@t'],
    ['b@x.example', 'x.example', 'a@sub.x.example', 'aa@x.example'],
  ],
  ['A@X.Example', ['a@x.example/R'], ['b@x.example']],
  ['a@x.example.', ['a@x.example'], ['a@x.example.evil']],
  ['a@x.example/R', ['a@x.example/R'], ['a@x.example/r', 'a@x.example', 'a@x.example/R/s']],
  [
    '*@x.example',
    ['a@x.example', 'a.b@x.example/r'],
    ['x.example', 'x.example/r', 'a@y.example', 'a@sub.x.example', 'a@x.example.evil', 'a@ax.example'],
  ],
  ['x.example', ['x.example', 'x.example/r'], ['a@x.example', 'sub.x.example']],
  ['*.example', ['x.example', 'sub.x.example'], ['example', 'a@x.example', 'x.example.evil']],
  ['*@*.example', ['a@x.example', 'a@b.c.example'], ['a@example', 'x.example', 'a@x.example.evil']],
  ['*@*', ['a@x', 'a@x.y/r'], ['x', 'x.y/r']],
  ['*', ['x', 'x.y', 'x/r'], ['a@x']],
  ['*/*', ['x/r'], ['x', 'a@x/r']],
  ['*@x.example/*', ['a@x.example/r', 'a@x.example/r/s'], ['a@x.example', 'x.example/r']],
  ['a@x.example/*-1', ['a@x.example/desk-1', 'a@x.example/-1'], ['a@x.example/desk-2', 'a@x.example']],
  ['dev-*@x.example', ['dev-1@x.example', 'dev-@x.example'], ['dev@x.example', 'prod-1@x.example']],
  ['a*a@x.example', ['aa@x.example', 'aba@x.example'], ['a@x.example', 'ab@x.example']],
  ['**@x.example', ['a@x.example', 'ab@x.example'], ['a@y.example']],
  ['a*b*c@x.example', ['abc@x.example', 'axbyc@x.example'], ['acb@x.example']],
  // What a regular expression would read as more than itself.
  ['a.c@x.example', ['a.c@x.example'], ['abc@x.example']],
  ['a+$^|?{}()[]@x.example'.replace(/[()[\]]/g, ''), ['a+$^|?{}@x.example'], ['aa@x.example']],
  ['é*@x.example', ['é1@x.example'], ['e1@x.example']],
]

describe('a JID pattern', () => {
  for (const [pattern, should, shouldNot] of patterns) {
    it.each(should)(`${pattern} fits %s`, (jid) => expect(jidPattern(pattern)?.(jid)).toBe(true))
    it.each(shouldNot)(`${pattern} doesn't fit %s`, (jid) => expect(jidPattern(pattern)?.(jid)).toBe(false))
  }

  it.each(['', '@', '@x.example', 'a@', 'a b@x.example', 'a@b@c', 'a@x.example/', 'a:b@x.example', 'a@..', '*@'])(
    'is not %j',
    (pattern) => expect(jidPattern(pattern)).toBeUndefined(),
  )

  it('stays quick with many stars', () => {
    const fits = jidPattern(`${'*a'.repeat(8)}@x.example`)!
    const startedMs = processorMs()
    expect(fits(`${'a'.repeat(60)}b@x.example`)).toBe(false)
    expect(processorMs() - startedMs).toBeLessThan(1000)
  })
})
