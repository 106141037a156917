import { dirname, resolve } from 'node:path'
import { destinationName, parseDestination } from '../domain/delivery.ts'
import { normaliseJid } from '../domain/jid.ts'
import type { Order, Route, RouteTest } from '../domain/route.ts'
import { type DeliverSurroundings, type ReadDeliver, readDeliver } from './destinations.ts'
import { findFile } from './find-files.ts'
import type { Route as Written } from './kinds.ts'
import { complainOfFields } from './route-fields.ts'
import { sourceOf, type Thing } from './thing.ts'
import { parseTimespan } from './timespan.ts'
import { readWhen, type WhenSurroundings } from './when.ts'

/** What a route can refer to. */
export interface Surroundings extends WhenSurroundings, DeliverSurroundings {
  readonly folder: string
}

export interface ReadRoute {
  readonly route: Route
  /** Where a path into the route leads in what was written. */
  readonly writtenAt: ReadDeliver['writtenAt']
}

/** A route of a thing that its schema found sound; what is wrong beyond that is complained of. */
export async function readRoute(thing: Thing<Written>, surroundings: Surroundings): Promise<ReadRoute> {
  const { value, complain } = thing
  const { conditions, types } = readWhen(value.when, surroundings, complain)
  const { templates, writtenAt } = readDeliver(value.deliver, surroundings, complain)
  const route: Route = {
    name: value.name,
    owner: value.owner,
    priority: value.priority,
    stop: value.stop,
    otherwise: value.otherwise,
    ...(value.takes === 'valid' ? {} : { takes: value.takes }),
    when: conditions,
    deliver: templates,
    order: readOrder(value.order),
    expiresMs: value.expires === undefined ? undefined : parseTimespan(value.expires),
    tests: await readTests(thing, surroundings.folder),
    source: sourceOf(thing),
  }
  if (types) complainOfFields(route, types, (code, path, ...rest) => complain(code, writtenAt(path), ...rest))
  return { route, writtenAt }
}

export function complainOfMissingWhen(raw: unknown, { complain }: Pick<Thing, 'complain'>): void {
  const { when, otherwise } = raw as { readonly when?: unknown; readonly otherwise?: unknown }
  if (when !== undefined || otherwise === true) return
  const message = 'The route has no when, so that it matches every document: say when: {} where that is meant'
  complain('matches-everything', [], message, { severity: 'warning' })
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
      mediaType: test.mediaType,
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
