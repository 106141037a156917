import { describe, expect, it } from 'vitest'
import { readYaml } from '../../src/config/yaml-file.ts'

/** In each text every value `thing-N` stands once, as the name of a document. */
const FILES: readonly (readonly [what: string, text: string])[] = [
  ['documents behind ---', 'name: thing-0\n---\nname: thing-1\n---\nname: thing-2\n'],
  ['a file that begins with ---', '---\nname: thing-0\n---\nname: thing-1\n'],
  ['comments before, between and behind', '# a\n\nname: thing-0 # b\n# c\n--- # d\n# e\nname: thing-1\n# f\n'],
  ['documents that end with ...', 'name: thing-0\n...\n---\nname: thing-1\n...\n# more\nname: thing-2\n'],
  ['empty documents between', '---\n---\nname: thing-0\n---\n---\n# nothing\n---\nname: thing-1\n'],
  ['a mark of byte order', '\uFEFFname: thing-0\n---\nname: thing-1\n'],
  ['lines that end as on Windows', '# a\r\nname: thing-0\r\n---\r\nname: thing-1\r\n---\r\nname: thing-2\r\n'],
  ['characters of two units of UTF-16', 'title: 😀😀\nname: thing-0\n---\ntitle: 😀\nname: thing-1\n'],
  ['mappings in brackets', '{ name: thing-0, list: [1, 2] }\n--- { name: thing-1 }\n---\n{name: thing-2}'],
  ['anchors of the same name', 'a: &x 1\nb: *x\nname: thing-0\n---\na: &x 2\nb: *x\nname: thing-1\n'],
  ['directives', '%YAML 1.2\n---\nname: thing-0\n...\n%TAG ! tag:x,2026:\n---\nname: thing-1\n'],
  ['a broken document between', 'name: thing-0\n---\nname: [broken\n---\nname: thing-1\n'],
  ['a key twice', 'name: thing-0\nname: other\n---\nname: thing-1\n'],
  ['text in lines', 'text: |\n  ---\n  # no comment\nname: thing-0\n---\ntext: >-\n  a\n\n  b\nname: thing-1\n'],
]

function placeOf(text: string, wanted: string) {
  const before = text.slice(0, text.indexOf(wanted)).split('\n')
  return { file: 'x.yaml', line: before.length, column: before.at(-1)!.length + 1 }
}

describe('a place in a file of several documents', () => {
  for (const [what, text] of FILES)
    it(`is found again with ${what}`, () => {
      const { things } = readYaml(text, 'x.yaml', {})
      const named = things.filter(({ value }) => value !== undefined)
      const expected = [...text.matchAll(/thing-\d/g)].map(([name]) => placeOf(text, name))
      expect(named.map((thing) => thing.locate(['name']))).toEqual(expected)
      // From the last to the first, and twice, since what was read for one thing may be known still.
      expect(named.toReversed().map((thing) => thing.locate(['name']))).toEqual(expected.toReversed())
    })

  it('is known with what the environment filled in', () => {
    const variable = (name: string) => `\${${name}}`
    const text = `name: a\n---\nname: thing-${variable('NUMBER')}\nother: ${variable('MISSING')}\nplain: "1"\n`
    const { things, problems } = readYaml(text, 'x.yaml', { NUMBER: '7' })
    const [, thing] = things
    expect(thing?.value).toMatchObject({ name: 'thing-7' })
    expect(thing?.sourceOf(['name'])).toBe(`thing-${variable('NUMBER')}`)
    expect(thing?.sourceOf(['plain'])).toBeUndefined()
    expect(['name', 'other', 'plain'].map((key) => thing?.isUnfilled([key]))).toEqual([false, true, false])
    expect(thing?.locate(['other'], 'key')).toEqual({ file: 'x.yaml', line: 4, column: 1 })
    // Once, when the file was read.
    expect(problems).toHaveLength(1)
  })
})
