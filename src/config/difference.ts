import { createHash } from 'node:crypto'
import { relative } from 'node:path'
import { typeKey } from '../domain/document-type.ts'
import type { Configuration, Settings } from './configuration.ts'

/** What one configuration has otherwise than another, by names. */
export interface Difference {
  readonly types: Changes
  readonly routes: Changes
  readonly policies: Changes
  /** Keys of `waybill.yaml`. */
  readonly settings: readonly string[]
}

export interface Changes {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly string[]
}

type Compared = Pick<Configuration, 'folder' | 'settings' | 'types' | 'routes' | 'policies' | 'digests'>

/**
 * Compares two configurations. Where something stands in the files, and the tests of routes, don't count; what stands in the files
 * of a schema does.
 */
export function difference(before: Compared, after: Compared): Difference {
  return {
    types: changes(typesOf(before), typesOf(after)),
    routes: changes(routesOf(before), routesOf(after)),
    policies: changes(before.policies, after.policies),
    settings: settingsThatDiffer(before.settings, after.settings),
  }
}

export function isEmpty({ types, routes, policies, settings }: Difference): boolean {
  const lists = [types, routes, policies].flatMap(({ added, removed, changed }) => [added, removed, changed])
  return settings.length === 0 && lists.every((names) => names.length === 0)
}

/** The settings of a difference that only a restart brings into force. */
export function needRestart({ settings }: Difference): readonly string[] {
  return settings.filter((key) => !AT_ONCE.has(key))
}

const AT_ONCE: ReadonlySet<string> = new Set([
  'admins',
  'senders',
  'alarms.to',
  'limits.documentBytes',
  'limits.depth',
  'limits.attributes',
  'checking.threads',
])

/**
 * The same in all processes that judge and route alike, whatever folder and machine they run on: of types with their schemas, routes, policies,
 * and the settings that need no restart.
 */
export function digestOfConfiguration(configuration: Compared): string {
  const digest = digested.get(configuration) ?? digestOnce(configuration)
  digested.set(configuration, digest)
  return digest
}

/** A configuration never changes. */
const digested = new WeakMap<Compared, string>()

function digestOnce(configuration: Compared): string {
  const { types, digests, policies, settings } = configuration
  const { admins, senders, alarms, limits } = settings
  const judged = types.map(({ layers, ...type }) => {
    const named = layers.map((layer) => ({ ...layer, file: relative(layer.folder, layer.file), folder: '' }))
    return [typeKey(type), type, named, digests.get(typeKey(type))]
  })
  const inForce = {
    admins,
    senders,
    alarms,
    documentBytes: limits.documentBytes,
    depth: limits.depth,
    attributes: limits.attributes,
  }
  const all = [inOrder(judged), inOrder([...routesOf(configuration)]), inOrder([...policies]), inForce]
  return createHash('sha256').update(textOf(all)).digest('hex').slice(0, 16)
}

function inOrder(things: readonly unknown[]): readonly string[] {
  return things.map(textOf).sort()
}

function typesOf({ folder, types, digests }: Compared): ReadonlyMap<string, unknown> {
  return new Map(
    types.map(({ layers, ...type }) => {
      // The folder as a whole may have moved.
      const named = layers.map((layer) => ({ ...layer, file: relative(folder, layer.file), folder: '' }))
      const key = typeKey(type)
      return [key, [type, named, digests.get(key)]]
    }),
  )
}

function routesOf({ routes }: Compared): ReadonlyMap<string, unknown> {
  return new Map(routes.map(({ source: _source, tests: _tests, ...route }) => [route.name, route]))
}

function changes(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): Changes {
  return {
    added: [...after.keys()].filter((name) => !before.has(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    changed: [...after].flatMap(([name, one]) => {
      return before.has(name) && textOf(before.get(name)) !== textOf(one) ? [name] : []
    }),
  }
}

/** Keys come in the order in which they are read, the same for the same kind; what was written twice is the same twice. */
function textOf(value: unknown): string {
  return JSON.stringify(value)
}

function settingsThatDiffer(before: Settings, after: Settings): readonly string[] {
  return Object.keys({ ...before, ...after }).flatMap((key) => {
    const [one, other]: unknown[] = [before, after].map((settings) => settings[key as keyof Settings])
    if (textOf(one) === textOf(other)) return []
    // A secret is named like everything else, and never shown.
    if (!isMapping(one) || !isMapping(other)) return [writtenName(key)]
    const inner = Object.keys({ ...one, ...other }).filter((name) => textOf(one[name]) !== textOf(other[name]))
    return inner.map((name) => `${key}.${writtenName(name)}`)
  })
}

/** As it stands in the file, where durations have their own units. */
function writtenName(key: string): string {
  return key.replace(/Ms$/, '')
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
