import { relative, resolve } from 'node:path'
import { typeKey } from '../domain/document-type.ts'
import { didYouMean } from '../domain/nearest.ts'
import { type RegisteredBundle, TYPE_FILE } from './bundle.ts'
import { listYaml, lookAt, readText, realPath, type StrayLink } from './find-files.ts'
import type { KindName } from './kind-schemas.ts'
import type { Problem } from './problem.ts'
import { complainAbout, type Thing } from './thing.ts'
import { WAYBILL_FILE, type WaybillThing } from './waybill-file.ts'
import { readYaml, type YamlThing } from './yaml-file.ts'

type Environment = Readonly<Record<string, string | undefined>>

const DEFAULT_FOLDERS = ['types', 'routes', 'policies']
const KINDS: readonly KindName[] = ['DocumentType', 'Route', 'DestinationGroup', 'SenderGroup', 'Policy']

/** Document types, routes, groups and policies of all files that `load` names. Of things with one name all are given. */
export async function readThings(
  folder: string,
  waybill: WaybillThing,
  environment: Environment,
  registered: readonly RegisteredBundle[],
  problems: Problem[],
): Promise<readonly Thing[]> {
  const files = await loadedFiles(folder, waybill, problems)
  const things: Thing[] = []
  for (const absolute of files) {
    const file = relative(folder, absolute)
    const content = await readText(absolute)
    if (content.kind !== 'text') {
      const message = `Cannot read ${file}: ${content.reason}`
      problems.push({ file, line: 1, column: 1, code: 'file-unreadable', severity: 'error', message })
      continue
    }
    things.push(...thingsOf(content.text, file, environment, problems))
  }
  for (const bundle of registered) things.push(...(await thingsOfBundle(bundle, problems)))
  complainOfSameNames(things)
  return things
}

/**
 * What a registered bundle says. The environment is not asked: a bundle is the same everywhere. What was said of the version since stands in
 * the place of what it says itself.
 */
async function thingsOfBundle({ folder, label, deprecated }: RegisteredBundle, problems: Problem[]): Promise<Thing[]> {
  const listing = await listYaml(folder, TYPE_FILE)
  const content = listing.kind === 'files' ? await readText(listing.files[0]!.file) : listing
  if (content.kind !== 'text') {
    const reason = content.kind === 'outside' ? 'it leads out of the bundle' : content.reason
    const message = `Cannot read ${TYPE_FILE} of the bundle: ${reason}`
    problems.push({ file: label, line: 1, column: 1, code: 'file-unreadable', severity: 'error', message })
    return []
  }
  const things = thingsOf(content.text, `${label}/${TYPE_FILE}`, {}, problems).map((thing) => {
    const value = deprecated === undefined ? thing.value : { ...(thing.value as object), deprecated }
    return { ...thing, value, bundle: folder }
  })
  complainOfBundle(things, `${label}/${TYPE_FILE}`, problems)
  return things
}

/** A bundle is one version of one type: what else it brought would come and go with it. */
function complainOfBundle(things: readonly Thing[], file: string, problems: Problem[]): void {
  if (things.length === 0 && !problems.some((problem) => problem.file === file && problem.severity === 'error')) {
    const message = `${TYPE_FILE} of a bundle holds one document type, found none`
    problems.push({ file, line: 1, column: 1, code: 'bundle-unfit', severity: 'error', message })
  }
  for (const [at, { kind, key, name, complain }] of things.entries()) {
    if (kind !== 'DocumentType' || at > 0)
      complain('bundle-unfit', [], `${TYPE_FILE} of a bundle holds one document type and nothing else`)
    else if (key === name) complain('bundle-unfit', ['name'], `The document type of a bundle needs a version`)
  }
}

/** The files that `load` names, listed and not read; of one that is there by several names, by way of links, the first. */
export async function loadedFiles(
  folder: string,
  waybill: WaybillThing,
  problems: Problem[],
): Promise<readonly string[]> {
  const files = new Map<string, string>()
  const strays = new Map<string, StrayLink>()
  const main = resolve(folder, WAYBILL_FILE)
  const realMain = await realPath(main)
  const entries = waybill.load ?? (await defaultEntries(folder))
  for (const [at, entry] of entries.entries()) {
    const listing = await listYaml(folder, entry)
    if (listing.kind === 'files') {
      for (const { file, real } of listing.files) {
        if (real !== realMain && !files.has(real)) files.set(real, file)
      }
      for (const stray of listing.strays) if (stray.link !== main) strays.set(stray.link, stray)
      continue
    }
    const path = ['load', at]
    if (listing.kind === 'outside') {
      waybill.complain('file-outside', path, `Cannot load ${entry}: it lies outside of the configuration folder`)
    } else {
      const code = listing.kind === 'missing' ? 'file-missing' : 'file-unreadable'
      waybill.complain(code, path, `Cannot load ${entry}: ${listing.reason}`)
    }
  }
  for (const stray of strays.values()) problems.push(problemOf(relative(folder, stray.link), stray))
  return [...files.values()]
}

const STRAY_CODES = { outside: 'file-outside', missing: 'file-missing', unreadable: 'file-unreadable' } as const

function problemOf(file: string, stray: StrayLink): Problem {
  const reason = stray.kind === 'outside' ? 'it is a link that leads out of the configuration folder' : stray.reason
  const code = STRAY_CODES[stray.kind]
  return { file, line: 1, column: 1, code, severity: 'error', message: `Cannot read ${file}: ${reason}` }
}

async function defaultEntries(folder: string): Promise<readonly string[]> {
  const found = await Promise.all(DEFAULT_FOLDERS.map((name) => lookAt(resolve(folder, name))))
  return DEFAULT_FOLDERS.filter((_, at) => found[at] === 'folder')
}

function thingsOf(text: string, file: string, environment: Environment, problems: Problem[]): readonly Thing[] {
  const read = readYaml(text, file, environment)
  problems.push(...read.problems)
  const present = read.things.filter(({ value }) => value !== undefined)
  if (present.length === 0 && read.problems.length === 0) {
    const message = `${file} holds nothing`
    problems.push({ file, line: 1, column: 1, code: 'file-empty', severity: 'warning', message })
  }
  const isFileSound = read.problems.every(({ severity }) => severity !== 'error')
  return present.flatMap((yaml) => thingOf(yaml, file, isFileSound, problems) ?? [])
}

function thingOf(yaml: YamlThing, file: string, isFileSound: boolean, problems: Problem[]): Thing | undefined {
  const { complain, isSound } = complainAbout(yaml, problems, isFileSound)
  const { value } = yaml
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const found = Array.isArray(value) ? 'a list' : `a ${typeof value}`
    complain('wrong-type', [], `A document type, route, group or policy must be a mapping, found ${found}`)
    return undefined
  }
  const { kind, name, version } = value as Readonly<Record<string, unknown>>
  const known = KINDS.find((candidate) => candidate === kind)
  if (known) {
    const named = textOf(name)
    const key = known === 'DocumentType' ? typeKey({ name: named, version: textOf(version) }) : named
    return { kind: known, name: named, key, file, yaml, value, complain, isSound }
  }
  complain('unknown-kind', ['kind'], kindWords(kind))
  return undefined
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function kindWords(kind: unknown): string {
  const list = KINDS.join(', ')
  if (kind === undefined) return `kind is missing: it says which of ${list} this is`
  if (typeof kind !== 'string') return `kind must be one of ${list}`
  return `kind must be one of ${list}, found ${JSON.stringify(kind.slice(0, 60))}${didYouMean(kind, KINDS)}`
}

function complainOfSameNames(things: readonly Thing[]): void {
  const first = new Map<string, Thing>()
  for (const thing of things) {
    if (thing.name === '') continue
    const key = `${thing.kind} ${thing.key}`
    const earlier = first.get(key)
    if (!earlier) {
      first.set(key, thing)
      continue
    }
    const { file, line } = earlier.yaml.locate(['name'])
    thing.complain('duplicate-name', ['name'], `There are two of ${key}: the other stands in ${file}:${line}`)
  }
}
