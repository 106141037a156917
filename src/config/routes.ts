import { dirname, resolve } from 'node:path'
import { destinationName, parseDestination } from '../domain/delivery.ts'
import type { DocumentType } from '../domain/document-type.ts'
import { OPAQUE_TYPE } from '../domain/envelope.ts'
import { normaliseJid } from '../domain/jid.ts'
import type { Order, Route, RouteTest } from '../domain/route.ts'
import { listOf, readConditions } from './conditions.ts'
import { readDestination } from './destinations.ts'
import { findFile } from './find-files.ts'
import type { Route as Written } from './kinds.ts'
import { didYouMean } from './nearest.ts'
import type { Path } from './problem.ts'
import { complainOfFields } from './route-fields.ts'
import { sourceOf, type Thing } from './thing.ts'
import { parseTimespan } from './timespan.ts'

/** What a route can refer to. */
export interface Surroundings {
  readonly folder: string
  /** Names of all types, those with errors too. */
  readonly typeNames: ReadonlySet<string>
  /** Types without errors. */
  readonly types: ReadonlyMap<string, DocumentType>
  readonly policyNames: ReadonlySet<string>
}

/** A route of a thing that its schema found sound; what is wrong beyond that is complained of. */
export async function readRoute(thing: Thing<Written>, surroundings: Surroundings): Promise<Route> {
  const { value, complain } = thing
  const types = typesOf(thing, surroundings)
  const namespaces = mergeNamespaces(thing, value.when.type === undefined ? [] : (types ?? []))
  const route: Route = {
    name: value.name,
    owner: value.owner,
    priority: value.priority,
    stop: value.stop,
    otherwise: value.otherwise,
    when: readConditions(value.when, namespaces, complain),
    deliver: value.deliver.map((written, at) => readDestination(written, at, surroundings.policyNames, complain)),
    order: readOrder(value.order),
    expiresMs: value.expires === undefined ? undefined : parseTimespan(value.expires),
    tests: await readTests(thing, surroundings.folder),
    source: sourceOf(thing),
  }
  if (types) complainOfFields(route, types, complain)
  return route
}

export function complainOfMissingWhen(raw: unknown, { complain }: Pick<Thing, 'complain'>): void {
  const { when, otherwise } = raw as { readonly when?: unknown; readonly otherwise?: unknown }
  if (when !== undefined || otherwise === true) return
  const message = 'The route has no when, so that it matches every document: say when: {} where that is meant'
  complain('matches-everything', [], message, { severity: 'warning' })
}

/** The route's own types, or all where it names none; undefined where one of them has errors, so that nothing is sure. */
function typesOf({ value, complain }: Thing<Written>, surroundings: Surroundings): readonly DocumentType[] | undefined {
  const { typeNames, types } = surroundings
  const isList = Array.isArray(value.when.type)
  const names = value.when.type === undefined ? [...typeNames] : listOf(value.when.type)
  const unknown = names.filter((name) => !typeNames.has(name) && name !== OPAQUE_TYPE)
  for (const name of unknown) {
    const path = isList ? ['when', 'type', names.indexOf(name)] : ['when', 'type']
    const guess = didYouMean(name, [...typeNames, OPAQUE_TYPE])
    complain('type-unknown', path, `Unknown document type "${name}"${guess}`)
  }
  const sound = names.filter((name) => name !== OPAQUE_TYPE).map((name) => types.get(name))
  return sound.every((type) => type !== undefined) ? sound : undefined
}

function mergeNamespaces(
  { value, complain }: Thing<Written>,
  types: readonly DocumentType[],
): Readonly<Record<string, string>> {
  const merged = new Map<string, { readonly name: string; readonly by: string }>()
  const bind = (prefix: string, name: string, by: string, path: Path) => {
    const known = merged.get(prefix)
    if (!known || known.name === name) merged.set(prefix, { name, by })
    else if (value.when.xpath !== undefined || by === 'the route') {
      const message = `Prefix ${prefix} stands for ${known.name} in ${known.by} and for ${name} in ${by}`
      complain('namespace-conflict', path, message)
    }
  }
  for (const type of types) {
    for (const [prefix, name] of Object.entries(type.namespaces)) {
      bind(prefix, name, `type ${type.name}`, ['when', 'type'])
    }
  }
  for (const [prefix, name] of Object.entries(value.when.namespaces)) {
    bind(prefix, name, 'the route', ['when', 'namespaces', prefix])
  }
  return Object.fromEntries([...merged].map(([prefix, { name }]) => [prefix, name]))
}

function readOrder({ by }: Written['order']): Order {
  if (by === 'none' || by === 'sender') return { by }
  return { by: 'field', field: by }
}

async function readTests({ value, file, yaml, complain }: Thing<Written>, folder: string): Promise<RouteTest[]> {
  const bases = [dirname(resolve(folder, file)), folder]
  const tests: RouteTest[] = []
  for (const [at, test] of value.tests.entries()) {
    const path = ['tests', at, 'document']
    const found = await findFile(folder, bases, test.document)
    if (found.kind === 'outside') {
      complain('file-outside', path, `Cannot read ${test.document}: it lies outside of the configuration folder`)
    }
    if (found.kind === 'missing') {
      const message = `Cannot find test document ${test.document}: it is none of ${found.places.join(', ')}`
      complain('file-missing', path, message, { severity: 'warning' })
    }
    const { file: source, line, column } = yaml.locate(path.slice(0, 2))
    tests.push({
      document: found.kind === 'found' ? found.file : resolve(folder, test.document),
      from: normaliseJid(test.from)!,
      delivers: test.delivers.map(normaliseDestination),
      because: test.because,
      source: `${source}:${line}:${column}`,
    })
  }
  return tests
}

function normaliseDestination(text: string): string {
  const destination = parseDestination(text)
  if (destination.kind === 'jid') return normaliseJid(destination.jid)!
  return destinationName({ ...destination, service: normaliseJid(destination.service)! })
}
