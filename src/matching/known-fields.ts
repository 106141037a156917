import type { DocumentType } from '../domain/document-type.ts'
import type { Route } from '../domain/route.ts'
import type { Complain } from './problem.ts'
import { BUILT_IN_PLACES, PLACE, parseTemplate } from './template.ts'

/** Finds fields that none of the route's types has: a condition on one never holds, and a place for one is never filled. */
export function checkFields(route: Route, types: readonly DocumentType[], complain: Complain): void {
  const known = fieldsOf(route, types)
  const check = (name: string, path: readonly (string | number)[]) => {
    if (!known.has(name)) complain('field-unknown', path, `Cannot read field ${name}: ${list(route, known)}`)
  }
  for (const name of Object.keys(route.when.fields ?? {})) check(name, ['when', 'fields', name])
  if (route.order.by === 'field') check(route.order.field, ['order', 'by'])
  route.deliver.forEach(({ target, body }, at) => {
    const [key, text] = target.kind === 'node' ? ['node', target.node] : ['jid', target.jid]
    for (const name of parseTemplate(text)?.places ?? []) checkPlace(name, ['deliver', at, key])
    for (const [, name] of body?.matchAll(PLACE) ?? []) checkPlace(name!, ['deliver', at, 'body'])
  })

  function checkPlace(name: string, path: readonly (string | number)[]): void {
    if (!BUILT_IN_PLACES.includes(name)) check(name, path)
    else if (known.has(name)) complain('field-shadowed', path, shadowed(name), 'warning')
  }
}

function fieldsOf({ when }: Route, types: readonly DocumentType[]): ReadonlySet<string> {
  const own = when.type === undefined ? types : types.filter(({ name }) => when.type?.includes(name))
  return new Set(own.flatMap(({ fields }) => Object.keys(fields)))
}

function list({ when }: Route, known: ReadonlySet<string>): string {
  const whose = when.type === undefined ? 'the types' : when.type.join(', ')
  return known.size === 0 ? `${whose} have no fields` : `known of ${whose} are ${[...known].slice(0, 10).join(', ')}`
}

function shadowed(name: string): string {
  return `{${name}} stands for the document's own ${name}, not for the field of that name`
}
