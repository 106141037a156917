import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const root = new URL('../', import.meta.url)
const page = readFileSync(new URL('docs/traps.md', root), 'utf8')

interface Trap {
  readonly number: number
  readonly product: string
  readonly file: string
}

const listed: readonly Trap[] = [...page.matchAll(/^\| (\d+) \| ([^|]+?) \| [^|]+ \| `([^`]+)` \|$/gm)].map(
  ([, number, product, file]) => ({ number: Number(number), product: product!, file: file! }),
)

/** Traps that the name of a test says it is about: `trap 7 (RabbitMQ)`. */
const tested: readonly Trap[] = (readdirSync(new URL('test/', root), { recursive: true }) as string[])
  .filter((name) => name.endsWith('.test.ts') && name !== 'traps-page.test.ts')
  .flatMap((name) => {
    const text = readFileSync(new URL(`test/${name}`, root), 'utf8')
    const titles = text.matchAll(/\b(?:describe|it)(?:\.each\([^)]*\))?\(\s*(['"`])(.*?)\1/g)
    return [...titles].flatMap(([, , title]) => {
      const named = title!.matchAll(/\btrap (\d+) \(([^)]+)\)/g)
      return [...named].map(([, number, product]) => ({
        number: Number(number),
        product: product!,
        file: `test/${name.replaceAll('\\', '/')}`,
      }))
    })
  })

describe('the page on traps', () => {
  it('lists seventeen', () => {
    expect(listed.map(({ number }) => number)).toEqual(Array.from({ length: 17 }, (_, at) => at + 1))
  })

  it.each(listed.map((trap) => [trap.number, trap] as const))('names where trap %i has its tests', (_, trap) => {
    expect(tested).toContainEqual(trap)
  })

  it('knows every trap that a test is named after', () => {
    for (const trap of tested) expect(listed).toContainEqual(trap)
  })
})
