import { resolve } from 'node:path'
import { type DocumentType, typeKey } from '../domain/document-type.ts'
import { OPAQUE_TYPE } from '../domain/envelope.ts'
import { didYouMean } from '../domain/nearest.ts'
import { defaultPolicy, type RetryPolicy } from '../domain/retry.ts'
import type { Conditions, DestinationTemplate, Route } from '../domain/route.ts'
import { complainOfAmbiguousTypes } from './ambiguous-types.ts'
import type { RegisteredBundle } from './bundle.ts'
import { checkKind } from './check-kind.ts'
import { readConditionsAlone } from './conditions-alone.ts'
import { complainOfGroupOptions, readGroup } from './destinations.ts'
import { readDocumentType, type TypeSurroundings } from './document-types.ts'
import { complainOfMissingVersions, withAllFamilies } from './families.ts'
import { lookAt, readText } from './find-files.ts'
import type { KindName } from './kind-schemas.ts'
import type * as Written from './kinds.ts'
import { readPolicy } from './policies.ts'
import type { Path, Problem as PlacedProblem, Position } from './problem.ts'
import { loadedFiles, readThings } from './read-things.ts'
import { complainOfMissingWhen, type ReadRoute, readRoute } from './routes.ts'
import { readSample, type Sample } from './samples.ts'
import { schemaDigests } from './schema-digests.ts'
import { type Settings as ReadSettings, readSettings } from './settings.ts'
import type { Thing } from './thing.ts'
import { complainOfUnavailable } from './unavailable.ts'
import { readWaybill, WAYBILL_FILE } from './waybill-file.ts'

export type Problem = PlacedProblem
export type Settings = ReadSettings

/** A configuration folder that has no error. */
export interface Configuration {
  /** Absolute. */
  readonly folder: string
  readonly settings: Settings
  readonly types: readonly DocumentType[]
  readonly routes: readonly Route[]
  /** By name; `default` is always there. */
  readonly policies: ReadonlyMap<string, RetryPolicy>
  /** Of the types that have one, by their keys. */
  readonly samples: ReadonlyMap<string, Sample>
  /** For each type, by its key, what stands in the files of its schema and in its sample, as digests. */
  readonly digests: ReadonlyMap<string, string>
  /**
   * Where something stands in the YAML of one thing, which of document types is named by its key: for problems that are found elsewhere, such as a schema that doesn't
   * compile. Falls back to the nearest existing ancestor.
   */
  locate(kind: KindName, name: string, path: Path): Position
}

export interface LoadedConfiguration {
  /** Undefined where one of the problems is an error. */
  readonly configuration: Configuration | undefined
  /** What has no error of its own: it can be compiled, so that what is found there is told at once with the rest. */
  readonly sound: Pick<Configuration, 'types' | 'routes' | 'samples' | 'locate'> & {
    readonly settings: Settings | undefined
  }
  /** All of them, in the order of files and lines. */
  readonly problems: readonly Problem[]
}

/**
 * Loads a configuration folder (docs/configuration.md) and finds what is wrong with it, as far as that is in its text: schemas and XPaths are
 * compiled elsewhere. What a thing refers to is looked at where its schema finds it sound. Never throws for what stands in the folder, or doesn't; no problem holds a secret.
 *
 * @param environment Variables for `${NAME}` and the overrides `WAYBILL_…`.
 * @param registered Document types that were registered at run time.
 */
export async function loadConfiguration(
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
  registered: readonly RegisteredBundle[] = [],
): Promise<LoadedConfiguration> {
  const absolute = resolve(folder)
  const problems: Problem[] = []
  const text = await readMainFile(folder, absolute, problems)
  if (text === undefined) return { configuration: undefined, sound: nothingSound, problems }
  const waybill = readWaybill(text, environment, problems)
  const things = await readThings(absolute, waybill, environment, registered, problems)
  const settings = settingsOf(waybill, absolute)
  if (settings) complainOfArchivedTypes(settings, things, waybill)
  const kinds = await readKinds(absolute, things)
  problems.sort(byPlace)
  const locate = locator(waybill, things, kinds.writtenAt)
  const { samples } = kinds
  const sound = { settings, ...soundOf(things, kinds), samples, locate }
  if (!settings || problems.some(({ severity }) => severity === 'error'))
    return { configuration: undefined, sound, problems }
  const { types, routes, policies } = kinds
  const digests = await schemaDigests(types, samples)
  const configuration = { folder: absolute, settings, types, routes, policies, samples, digests, locate }
  return { configuration, sound, problems }
}

/**
 * The settings of a folder alone: of what `waybill.yaml` loads it is seen to that it is there, and nothing is read. Undefined where
 * `waybill.yaml` has an error.
 */
export async function loadSettings(
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Settings | undefined> {
  const absolute = resolve(folder)
  const problems: Problem[] = []
  const text = await readMainFile(folder, absolute, problems)
  if (text === undefined) return undefined
  const waybill = readWaybill(text, environment, problems)
  // What is wrong below an entry of `load` is none of the settings' business.
  await loadedFiles(absolute, waybill, [])
  const settings = settingsOf(waybill, absolute)
  return problems.some(({ severity }) => severity === 'error') ? undefined : settings
}

const nothingSound: LoadedConfiguration['sound'] = {
  settings: undefined,
  types: [],
  routes: [],
  samples: new Map(),
  locate: () => ({ file: WAYBILL_FILE, line: 1, column: 1 }),
}

/** A route of a type with errors is left out too: prefixes that it takes from there would be missing. */
function soundOf(
  things: readonly Thing[],
  { types, routes, conditionsAlone }: Pick<ReadKinds, 'types' | 'routes' | 'conditionsAlone'>,
): Pick<Configuration, 'types' | 'routes'> {
  const broken = new Set(things.filter((thing) => !thing.isSound()).map(({ kind, key }) => `${kind} ${key}`))
  const sound = types.filter((type) => !broken.has(`DocumentType ${typeKey(type)}`))
  const known = new Set([OPAQUE_TYPE, ...sound.map(({ name }) => name)])
  const hasTypes = ({ type = [], all = [], any = [], not = [] }: Conditions): boolean =>
    type.every((name) => known.has(name)) && [...all, ...any, ...not].every(hasTypes)
  return {
    types: sound,
    routes: [...routes.filter((route) => !broken.has(`Route ${route.name}`)), ...conditionsAlone].filter((route) =>
      hasTypes(route.when),
    ),
  }
}

/** `file:line:column  severity  message (code)` */
export function formatProblem({ file, line, column, severity, message, code }: Problem): string {
  return `${file}:${line}:${column}  ${severity}  ${message} (${code})`
}

/** It alone may be a link that leads out of the folder: the secrets are in it, and it is its owner who decides what is read. */
async function readMainFile(folder: string, absolute: string, problems: Problem[]): Promise<string | undefined> {
  const complain = (code: string, file: string, message: string) =>
    problems.push({ file, line: 1, column: 1, code, severity: 'error', message })
  const what = await lookAt(absolute)
  if (what !== 'folder') {
    const reason = what === 'file' ? 'it is a file, not a folder' : 'it does not exist'
    complain('folder-missing', '.', `Cannot read the configuration folder ${folder}: ${reason}`)
    return undefined
  }
  const content = await readText(resolve(absolute, WAYBILL_FILE))
  if (content.kind === 'text') return content.text
  const code = content.kind === 'missing' ? 'file-missing' : 'file-unreadable'
  complain(code, WAYBILL_FILE, `Cannot read ${WAYBILL_FILE} in ${folder}: ${content.reason}`)
  return undefined
}

/** Gives what is made of a thing, where its schema finds it sound. */
function readWhatIsSound<Value, Result>(
  thing: Thing & { readonly variableOf?: (path: Path) => string | undefined },
  read: (thing: Thing<Value>) => Result,
): Result | undefined {
  const { kind, value, yaml, complain, variableOf = () => undefined } = thing
  complainOfUnavailable(kind, value, complain)
  if (kind === 'Route') {
    complainOfMissingWhen(value, thing)
    complainOfGroupOptions(value, complain)
  }
  if (!checkKind({ kind, value, thing: yaml, complain, variableOf })) return undefined
  return read(thing as Thing<Value>)
}

function settingsOf(waybill: ReturnType<typeof readWaybill>, folder: string): Settings | undefined {
  return readWhatIsSound<Written.Waybill, Settings>(waybill, ({ value, complain }) =>
    readSettings(value, folder, complain),
  )
}

/** A warning: it may be registered at run time. */
function complainOfArchivedTypes({ archive }: Settings, things: readonly Thing[], { complain }: Thing): void {
  const known = namesOf(things.filter(({ kind }) => kind === 'DocumentType')).add(OPAQUE_TYPE)
  for (const [at, name] of (archive?.types ?? []).entries()) {
    if (known.has(name)) continue
    const message = `Unknown document type "${name}"${didYouMean(name, [...known])}: nothing is archived of it`
    complain('type-unknown', ['archive', 'types', at], message, { severity: 'warning' })
  }
}

interface ReadKinds extends Pick<Configuration, 'types' | 'routes' | 'policies' | 'samples'> {
  /** Routes that have nothing but their conditions, where something else of them is wrong. */
  readonly conditionsAlone: readonly Route[]
  /** By the name of a route. */
  readonly writtenAt: ReadonlyMap<string, ReadRoute['writtenAt']>
}

function readSenderGroups(things: readonly Thing[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, readonly string[]>()
  for (const thing of things) {
    const senders = readWhatIsSound<Written.SenderGroup, readonly string[]>(thing, ({ value }) => value.senders)
    if (senders) groups.set(thing.name, senders)
  }
  return groups
}

async function readKinds(folder: string, things: readonly Thing[]): Promise<ReadKinds> {
  const of = (kind: KindName) => things.filter((thing) => thing.kind === kind)
  const { types, samples } = await readTypes(of('DocumentType'), {
    folder,
    senderGroups: readSenderGroups(of('SenderGroup')),
    senderGroupNames: namesOf(of('SenderGroup')),
  })
  const policies = new Map([[defaultPolicy.name, defaultPolicy]])
  for (const thing of of('Policy')) {
    const policy = readWhatIsSound<Written.Policy, RetryPolicy>(thing, readPolicy)
    if (policy) policies.set(policy.name, policy)
  }
  const policyNames = new Set([...policies.keys(), ...namesOf(of('Policy'))])
  const surroundings = {
    folder,
    typeNames: namesOf(of('DocumentType')),
    types,
    policyNames,
    groups: readGroups(of('DestinationGroup'), policyNames),
    groupNames: namesOf(of('DestinationGroup')),
  }
  const read = await Promise.all(
    of('Route').map((thing) =>
      readWhatIsSound<Written.Route, Promise<ReadRoute>>(thing, (sound) => readRoute(sound, surroundings)),
    ),
  )
  const sound = read.filter((one) => one !== undefined)
  const writtenAt = new Map(sound.map((one) => [one.route.name, one.writtenAt]))
  const faulty = of('Route').filter((thing, at) => read[at] === undefined && !writtenAt.has(thing.name))
  const alone = (await Promise.all(faulty.map((thing) => readConditionsAlone(thing, surroundings)))).flatMap(
    (one) => one?.route ?? [],
  )
  const routes = sound.map(({ route }) => route)
  return { types: [...types.values()], samples, routes, conditionsAlone: alone, policies, writtenAt }
}

function readGroups(
  things: readonly Thing[],
  policyNames: ReadonlySet<string>,
): ReadonlyMap<string, readonly DestinationTemplate[]> {
  const groups = new Map<string, readonly DestinationTemplate[]>()
  for (const thing of things) {
    const group = readWhatIsSound<Written.DestinationGroup, readonly DestinationTemplate[]>(thing, (sound) =>
      readGroup(sound, policyNames),
    )
    if (group) groups.set(thing.name, group)
  }
  return groups
}

/** By their keys. */
async function readTypes(
  things: readonly Thing[],
  surroundings: TypeSurroundings,
): Promise<{ readonly types: ReadonlyMap<string, DocumentType>; readonly samples: Configuration['samples'] }> {
  complainOfMissingVersions(things)
  const samples = new Map<string, Sample>()
  const read = await Promise.all(
    things.map(async (thing) => {
      const type = await readWhatIsSound<Written.DocumentType, Promise<DocumentType>>(thing, async (sound) => {
        const sample = await readSample(sound, surroundings.folder)
        if (sample) samples.set(sound.key, sample)
        return readDocumentType(sound, surroundings)
      })
      return type && { thing, type }
    }),
  )
  const sound = withAllFamilies(read.filter((one) => one !== undefined))
  complainOfAmbiguousTypes(sound)
  return { types: new Map(sound.map(({ type }) => [typeKey(type), type])), samples }
}

function namesOf(things: readonly Thing[]): Set<string> {
  return new Set(things.map(({ name }) => name).filter((name) => name !== ''))
}

/** The order in which problems are told: `waybill.yaml` first, then by files and lines. */
export function byPlace(a: Problem, b: Problem): number {
  const files = Number(a.file !== WAYBILL_FILE) - Number(b.file !== WAYBILL_FILE)
  if (files !== 0) return files
  if (a.file !== b.file) return a.file < b.file ? -1 : 1
  return a.line - b.line || a.column - b.column
}

function locator(waybill: Thing, things: readonly Thing[], writtenAt: ReadKinds['writtenAt']): Configuration['locate'] {
  const known = new Map(things.map((thing) => [`${thing.kind} ${thing.key}`, thing]))
  return (kind, name, path) => {
    const thing = kind === 'Waybill' ? waybill : (known.get(`${kind} ${name}`) ?? waybill)
    if (thing === waybill && kind !== 'Waybill') return waybill.yaml.locate([])
    const written = kind === 'Route' ? (writtenAt.get(name)?.(path) ?? path) : path
    return thing.yaml.locate(written)
  }
}
