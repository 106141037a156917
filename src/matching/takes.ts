import type { Route } from '../domain/route.ts'
import type { Check } from './conditions.ts'
import type { Subject } from './subject.ts'

/** Whether the route is for documents that are valid, or invalid, as this one is. */
export function takes({ takes: wanted }: Pick<Route, 'takes'>, { valid }: Subject): boolean {
  return wanted === 'both' || (wanted === 'invalid') === (valid === false)
}

/** The same for explanations; none where it goes without saying. */
export function onTakes(route: Pick<Route, 'takes'>, { valid }: Subject): readonly Check[] {
  if (route.takes === undefined && valid !== false) return []
  const expected = { invalid: 'an invalid document', both: 'any document' }[route.takes!] ?? 'a valid document'
  return [
    {
      name: 'takes',
      expected,
      holds: ({ subject }) => takes(route, subject),
      found: () => (valid === false ? 'an invalid one' : 'a valid one'),
    },
  ]
}

/** Whether all documents that the one is asked for are those of the other. */
export function takesAll(one: Pick<Route, 'takes'>, other: Pick<Route, 'takes'>): boolean {
  return other.takes === 'both' || one.takes === other.takes
}
