import { describe, expect, it } from 'vitest'
import { type Files, load, takeMark } from './folder.ts'

/** A text with one mark where the problem must be found, its code, and a part of its message. */
export type Mistake = readonly [says: string, text: string, code: string, message: string]

/** Each mistake is found where it stands, and is the only thing complained of. */
export function expectMistakes(file: string, others: Files, mistakes: readonly Mistake[]): void {
  describe(`a mistake in ${file} is the only problem, told where it stands`, () => {
    it.each(mistakes)('%s', async (_, marked, code, message) => {
      const { text, line, column } = takeMark(marked)
      const { problems } = await load({ ...others, [file]: text })
      expect(problems).toHaveLength(1)
      expect(problems[0]).toMatchObject({ code, file, line, column, message: expect.stringContaining(message) })
    })
  })
}
