import { describe, expect, it } from 'vitest'
import { parseXPath } from '../../src/domain/xpath-grammar.ts'
import { exactTests, pathFinder } from '../../src/matching/index/xpath-exact.ts'
import { createShapes } from '../../src/matching/index/xpath-shapes.ts'
import { generator, NAMESPACES, randomXPath } from './random.ts'

function parsedWhole(text: string, namespaces: Readonly<Record<string, string>>) {
  return exactTests(parseXPath(text, namespaces), pathFinder(namespaces))
}

/** The same, or the same message. */
function outcomeOf(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    return String(error)
  }
}

/** Texts and numbers of which most others are made: what differs in them only is one shape. */
function withOtherConstants(text: string, seed: number): string {
  const random = generator(seed)
  return text
    .replace(/'[^']*'/g, () => random.pick(["'x'", "''", "'a and b'", '"it\'s"', "'1'"]))
    .replace(/(?<![\w.:-])\d+(\.\d*)?/g, () => random.pick(['0', '7', '12.5', '3.', '1000000']))
}

describe('expressions that are one shape', () => {
  it('are read as each of them by itself is', () => {
    const random = generator(20_261_122)
    const shapes = createShapes()
    let held = 0
    for (let count = 0; count < 3_000; count++) {
      const text = [randomXPath(random), randomXPath(random)]
        .slice(random.below(2))
        .join(random.pick([' and ', ' or ']))
      for (let other = 0; other < 3; other++) {
        const xpath = withOtherConstants(text, count * 3 + other)
        const found = outcomeOf(() => shapes.exactTests(xpath, NAMESPACES))
        expect(found, xpath).toEqual(outcomeOf(() => parsedWhole(xpath, NAMESPACES)))
        if (typeof found === 'object') held += 1
      }
    }
    expect(held).toBeGreaterThan(500)
  })

  it.each([
    ["/a:x = 'p' and /a:y = 'q'", "/a:x = 'q' and /a:y = 'p'"],
    ['/a:x >= 1 and /a:x < 5', '/a:x >= 5 and /a:x < 1'],
    ["//*[local-name() = 'x'] = 'p'", "//*[local-name() = 'y'] = 'p'"],
    ["/a:x[. = 'p']", "/a:x[. = 'q']"],
    ["/a:x[starts-with(., 'p')]", "/a:x[starts-with(., '')]"],
    ["/a:x != -'p'", "/a:x != -'1'"],
    ['/a:x[1] = 1', '/a:x[2] = 1'],
    ['count(/a:x) >= 0', 'count(/a:x) >= 1'],
    ['/a:x = .5', '/a:x = .7'],
    ['/a:x1 = 1', '/a:x2 = 1'],
    ['/and and /a:x = 1', '/and and /a:x = 2'],
    ['/a:x/and = 1', '/a:x/and = 2'],
    ['/a:x = 1 or /a:y = 2 and /a:z = 3', '/a:x = 3 or /a:y = 1 and /a:z = 2'],
    ['and and and', 'and and or'],
    ["/a:x = 'p' and", "/a:x = 'q' and"],
    ["/a:x = 'p", "/a:x = 'q"],
    ['/u:x = 1 and /a:x = 1', '/u:x = 2 and /a:x = 2'],
  ])('%s and %s', (one, other) => {
    const shapes = createShapes()
    for (const text of [one, other, one]) {
      expect(outcomeOf(() => shapes.exactTests(text, NAMESPACES))).toEqual(
        outcomeOf(() => parsedWhole(text, NAMESPACES)),
      )
    }
  })

  it('are not mixed up where the same prefix stands for another namespace', () => {
    const shapes = createShapes()
    const spaces = Array.from({ length: 40 }, (_, at) => ({ a: `urn:${at}` }))
    for (const namespaces of [...spaces, ...spaces]) {
      expect(shapes.exactTests('/a:x = 1', namespaces)).toEqual(parsedWhole('/a:x = 1', namespaces))
    }
  })
})
