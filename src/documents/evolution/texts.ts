import { ANY_SIMPLE_TYPE } from '../xsd/built-in-types.ts'
import type { Shape } from './content.ts'
import type { Instances, Sample, Typed } from './instances.ts'
import { findGap } from './simple-inclusion.ts'
import { samplesOf, takes } from './simple-values.ts'

export type Report = (message: string, samples: readonly (() => Sample | undefined)[]) => void

/** Compares what text may stand in elements of a type; words are compared elsewhere. */
export function compareTexts(old: Shape, next: Shape, of: Typed, instances: Instances, report: Report): void {
  const withText = (text: string) => () => {
    const word = typeof old.text === 'object' ? [] : instances.completion(of.type, old.words.start)
    const sample = word && instances.withWord(of, word)
    return sample && { ...sample, children: text === '' ? sample.children : [text, ...sample.children] }
  }
  const say = (message: string, texts: readonly string[]) => report(message, texts.map(withText))
  if (typeof old.text === 'object') compareSimple(old.text, next, say)
  else compareOther(old.text, old, next, say)
}

type Say = (message: string, texts: readonly string[]) => void

function compareSimple(type: Exclude<Shape['text'], string>, { text, words }: Shape, say: Say): void {
  if (typeof text === 'object') {
    const gap = findGap(type, text)
    if (gap) say(gap.message, gap.values)
    return
  }
  // Where elements are needed, the words have missed already.
  if (text === 'any') return
  const values = samplesOf(type).slice(0, 5)
  if (text === 'none') say('it must be empty', values)
  else if (words.accepts(words.start) || values.length > 0) say('it holds no text', values)
}

function compareOther(mine: 'none' | 'white' | 'any', old: Shape, { text }: Shape, say: Say): void {
  if (typeof text === 'object') {
    if (!old.words.accepts(old.words.start)) return
    if (mine !== 'any') {
      if (takes(text, '') !== true) say('it must hold a value', ['', ' '])
      else if (mine === 'white' && takes(text, ' ') !== true) say('it must hold a value', [' '])
      return
    }
    const gap = findGap(ANY_SIMPLE_TYPE, text)
    if (gap) say(gap.message, gap.values)
    return
  }
  if (mine === 'any' && text !== 'any') say('text between elements is not allowed', ['x'])
  if (mine === 'white' && text === 'none' && old.words.accepts(old.words.start)) {
    say('it must be empty, even of white space', [' '])
  }
}
