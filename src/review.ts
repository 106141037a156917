import type { Assembly } from './assemble.ts'
import { byPlace, type Problem } from './config/configuration.ts'
import { reviewBySchemas, type SchemaRemark, type SchemaReview } from './documents/review.ts'
import { destinationName } from './domain/delivery.ts'
import { type DocumentType, typeKey } from './domain/document-type.ts'
import type { Conditions, Route, ValueCondition } from './domain/route.ts'
import { parseXPath } from './domain/xpath-grammar.ts'
import { orderingsOfTexts } from './domain/xpath-ordering.ts'
import { isFillable } from './matching/fillable.ts'
import { exactTests, pathFinder } from './matching/index/xpath-exact.ts'
import { necessaryTests } from './matching/index/xpath-necessary.ts'
import { findLoops } from './matching/loops.ts'
import { findNeverSent } from './matching/never-sent.ts'
import type { RouteRemark } from './matching/remark.ts'
import { shadowedRoutes } from './matching/shadows.ts'
import { parseTemplate } from './matching/template.ts'

/**
 * What is surely not meant in a configuration that has no error: paths and values that no valid document has, routes that are never
 * asked, templates that nothing fills, senders that nobody is, loops, routes that nobody answers for. Warnings all of them: they may cost a
 * document its way, but stop nobody else's.
 */
export function review({ configuration, ruling }: Pick<Assembly, 'configuration' | 'ruling'>): readonly Problem[] {
  const { types, routes, settings, locate } = configuration
  const bySchemas = reviewBySchemas(types, routes)
  const loops = findLoops(routes, {
    domain: settings.xmpp.domain,
    nodes: settings.subscriptions.map(({ pubsub, node, from }) => ({ service: pubsub, node, from })),
  })
  const remarks = [
    ...shadowedRoutes(routes),
    ...scanned(routes, ruling.matcher.scanned()),
    ...loops,
    ...unfillable(routes, types, bySchemas),
    ...withoutOwner(routes),
  ]
  return [
    ...[...bySchemas.remarks, ...textsInOrder(types, routes), ...findNeverSent(types, routes, settings.senders)].map(
      ({ kind, name, path, code, message }): Problem => {
        const text = `${kind === 'Route' ? 'route' : 'type'} ${name}: ${message}`
        return { code, severity: 'warning', message: text, ...locate(kind, name, path) }
      },
    ),
    ...remarks.map(({ route, path, code, message }): Problem => {
      return { code, severity: 'warning', message: `route ${route}: ${message}`, ...locate('Route', route, path) }
    }),
  ].sort(byPlace)
}

/** Comparisons by size with texts that are no numbers: whatever the schema, they never hold. */
function textsInOrder(types: readonly DocumentType[], routes: readonly Route[]): readonly SchemaRemark[] {
  const remarksOf = (kind: SchemaRemark['kind'], name: string) => {
    return ({ xpath, namespaces, path }: PlacedXPath): readonly SchemaRemark[] =>
      orderingsOfTexts(parseXPath(xpath, namespaces)).map((message) => {
        return { kind, name, path, code: 'value-impossible', message }
      })
  }
  return [
    ...types.flatMap((type) => xpathsOfType(type).flatMap(remarksOf('DocumentType', typeKey(type)))),
    ...routes.flatMap(({ name, when }) => xpathsOfGroup(when, ['when']).flatMap(remarksOf('Route', name))),
  ]
}

interface PlacedXPath {
  readonly xpath: string
  readonly namespaces: Readonly<Record<string, string>>
  readonly path: SchemaRemark['path']
}

function xpathsOfType({ identify, fields, namespaces }: DocumentType): readonly PlacedXPath[] {
  const where = identify.xml?.where
  const read = Object.entries(fields).flatMap(([name, { xpath }]) => {
    return xpath === undefined ? [] : [{ xpath, namespaces, path: ['fields', name, 'xpath'] }]
  })
  return where === undefined ? read : [{ xpath: where, namespaces, path: ['identify', 'xml', 'where'] }, ...read]
}

function xpathsOfGroup(group: Conditions, path: SchemaRemark['path']): readonly PlacedXPath[] {
  const { xpath, namespaces } = group
  const inner = (['all', 'any', 'not'] as const).flatMap((key) =>
    (group[key] ?? []).flatMap((one, at) => xpathsOfGroup(one, [...path, key, at])),
  )
  return xpath === undefined ? inner : [{ xpath, namespaces, path: [...path, 'xpath'] }, ...inner]
}

/** @param names Those that the index knows of; of XML documents alone there are more. */
function scanned(routes: readonly Route[], names: readonly string[]): readonly RouteRemark[] {
  const known = new Set(names)
  return routes.flatMap(({ name, when }): readonly RouteRemark[] => {
    if (isForAll(when) || !(known.has(name) || isFallbackAlone(when))) return []
    const message = `It is asked of every document by itself, ${costOf(when)}: nothing in its conditions can be looked up`
    return [{ route: name, path: ['when'], code: 'route-scanned', message }]
  })
}

/** What libxml2 takes for an expression on a document of 10 KB, as measured: from the top down, and where it goes through the whole tree. */
const STEPS_US = 5
const WHOLE_TREE_US = 40

/** About what asking such a route takes. The index asks what it holds itself in well under a microsecond. */
function costOf(when: Conditions): string {
  const asked = xpathsOfGroup(when, ['when']).filter(({ xpath, namespaces }) => {
    return exactTests(parseXPath(xpath, namespaces), pathFinder(namespaces)) === undefined
  })
  if (asked.length === 0) return 'for less than 1 µs'
  const us = asked.reduce((sum, { xpath }) => sum + (GOES_THROUGH_ALL.test(xpath) ? WHOLE_TREE_US : STEPS_US), 0)
  return `for about ${us} µs where it has 10 KB`
}

const GOES_THROUGH_ALL = /\/\/|descendant|following|preceding/

/** An XPath of which no part has to hold, and nothing beside it that narrows the documents down. */
function isFallbackAlone({ xpath, not: _, namespaces, ...others }: Conditions): boolean {
  if (xpath === undefined || Object.keys(others).length > 0) return false
  const necessary = necessaryTests(parseXPath(xpath, namespaces), namespaces)
  return necessary.kind === 'constant' && necessary.holds
}

/** Nothing is asked at all: that it is meant for every document is said elsewhere. */
function isForAll({ namespaces: _, ...conditions }: Conditions): boolean {
  return Object.keys(conditions).length === 0
}

function withoutOwner(routes: readonly Route[]): readonly RouteRemark[] {
  return routes.flatMap(({ name, owner }): readonly RouteRemark[] => {
    if (owner !== undefined) return []
    return [
      { route: name, path: ['name'], code: 'owner-missing', message: 'Nobody is named who answers for it: owner' },
    ]
  })
}

// ----------------------------------------------------------------------------------------------------- templates

function unfillable(
  routes: readonly Route[],
  types: readonly DocumentType[],
  schemas: SchemaReview,
): readonly RouteRemark[] {
  return routes.flatMap((route) => {
    const valuesOf = placeValuesOf(route, types, schemas)
    return route.deliver.flatMap((template, at): readonly RouteRemark[] => {
      const { target } = template
      const text = target.kind === 'node' ? target.node : target.jid
      const places = parseTemplate(text)?.places ?? []
      const path = ['deliver', at, 'allow']
      const empty = places.find((place) => valuesOf(place)?.length === 0)
      if (empty !== undefined) {
        const message = `${destinationName(target)} can't be filled: {${empty}} has no value in the documents of this route`
        return [{ route: route.name, path: ['deliver', at], code: 'template-unfillable', message }]
      }
      if (isFillable(template, valuesOf)) return []
      const message = `allow admits nothing that ${text} can become${knownWords(places, valuesOf)}`
      return [{ route: route.name, path, code: 'template-unfillable', message }]
    })
  })
}

const VALUES_SHOWN = 5

function knownWords(places: readonly string[], valuesOf: (place: string) => readonly string[] | undefined): string {
  const known = places.flatMap((place) => {
    const values = valuesOf(place)
    if (!values) return []
    const more = values.length > VALUES_SHOWN ? ` and ${values.length - VALUES_SHOWN} more` : ''
    return [`{${place}} is ${values.slice(0, VALUES_SHOWN).join(', ')}${more}`]
  })
  return known.length === 0 ? '' : `: ${known.join('; ')}`
}

/** All values that a place can take in the documents of a route, where they are known. */
function placeValuesOf(
  route: Route,
  types: readonly DocumentType[],
  schemas: SchemaReview,
): (place: string) => readonly string[] | undefined {
  const own = types.filter((type) => {
    const { type: names, version } = route.when
    return (names?.includes(type.name) ?? true) && (version?.includes(typeKey(type)) ?? true)
  })
  return (place) => {
    if (place === 'type') return route.when.type
    if (place === 'sender') return undefined
    const having = own.filter(({ fields }) => Object.hasOwn(fields, place))
    const asked = askedOf(route.when, place)
    if (asked?.some(isAbsent)) return []
    const listed = having.map((type) => schemas.valuesOf(typeKey(type), place))
    const isOne = having.length > 0 && having.every((type) => schemas.mostOf(typeKey(type), place) <= 1)
    const byRoute = isOne ? literalsOf(asked) : undefined
    if (byRoute) return byRoute
    return listed.length > 0 && listed.every((values) => values !== undefined) ? [...new Set(listed.flat())] : undefined
  }
}

function askedOf({ fields, all = [] }: Conditions, field: string): readonly ValueCondition[] | undefined {
  if (fields && Object.hasOwn(fields, field)) return fields[field]
  return all.map((group) => askedOf(group, field)).find((conditions) => conditions !== undefined)
}

function isAbsent(condition: ValueCondition, _: number, all: readonly ValueCondition[]): boolean {
  return all.length === 1 && condition.kind === 'exists' && !condition.expected
}

/** The values that the conditions list; undefined where they ask for anything but values. */
function literalsOf(conditions: readonly ValueCondition[] | undefined): readonly string[] | undefined {
  const values = conditions?.map((one) => (one.kind === 'is' && typeof one.value === 'string' ? one.value : undefined))
  return values?.every((value) => value !== undefined) ? values : undefined
}
