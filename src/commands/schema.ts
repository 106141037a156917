import { BundleUnfit, readBundle } from '../config/bundle.ts'
import { formatProblem, loadConfiguration, type Settings } from '../config/configuration.ts'
import { typeKey } from '../domain/document-type.ts'
import type { RegisteredVersion } from '../domain/registration.ts'
import { StoreUnavailable } from '../flow/ports.ts'
import { deprecate, type RegisterNeeds, type RegisterOutcome, register, remove, type Version } from '../register.ts'
import { openRegistered } from '../registered.ts'
import { cannot } from './cannot.ts'
import { CommandFailed, type ExitCode, formatTime, type Output, printJson, printRows } from './output.ts'
import { withStore } from './with-store.ts'

export type SchemaVerb = 'register' | 'ls' | 'show' | 'deprecate' | 'remove'

export interface SchemaOptions {
  readonly by: string
  /** deprecate: what senders are told; left out or '' takes it back. */
  readonly text?: string
}

/** Versions of document types that are registered at run time: kept in Redis, in force in every process. */
export async function schema(
  folder: string,
  verb: SchemaVerb,
  subject: string | undefined,
  options: SchemaOptions,
  output: Output,
): Promise<ExitCode> {
  const settings = await settingsOf(folder, output)
  return withRegistry(folder, settings, async (needs) => {
    switch (verb) {
      case 'ls':
        return list(needs, output)
      case 'show':
        return show(needs, needed(subject, verb), output)
      case 'register':
        return tell(await registerFolder(needs, needed(subject, verb), options.by), 'registered', output)
      case 'deprecate': {
        const { text = '' } = options
        const outcome = await deprecate(versionIn(needed(subject, verb)), text, options.by, needs)
        return tell(outcome, text === '' ? 'no longer deprecated' : 'deprecated', output)
      }
      case 'remove':
        return tell(await remove(versionIn(needed(subject, verb)), options.by, needs), 'removed', output)
    }
  })
}

/** Routes of the folder may name what is registered only: that is no reason to refuse here. */
async function settingsOf(folder: string, output: Output): Promise<Settings> {
  const { sound, problems } = await loadConfiguration(folder, process.env)
  if (sound.settings) return sound.settings
  for (const problem of problems) output.complain(formatProblem(problem))
  throw new CommandFailed(1, `Cannot use the configuration in ${folder}: see the problems above`)
}

async function withRegistry(
  folder: string,
  settings: Settings,
  work: (needs: RegisterNeeds) => Promise<ExitCode>,
): Promise<ExitCode> {
  return withStore(settings, async ({ registry }) => {
    const registered = openRegistered(registry)
    try {
      return await work({ folder, environment: process.env, registry, registered })
    } catch (error) {
      if (error instanceof BundleUnfit) throw new CommandFailed(2, error.message)
      if (error instanceof StoreUnavailable) throw new CommandFailed(3, error.message)
      throw error
    } finally {
      await registered.close()
    }
  })
}

function needed(subject: string | undefined, verb: SchemaVerb): string {
  if (subject !== undefined) return subject
  const what = verb === 'register' ? 'the folder of a bundle' : 'a version: NAME@VERSION'
  throw new CommandFailed(2, `Cannot ${verb}: it needs ${what}`)
}

function versionIn(text: string): Version {
  const at = text.indexOf('@')
  if (at < 1 || at === text.length - 1) throw new CommandFailed(2, `Cannot read ${text}: it is not NAME@VERSION`)
  return { name: text.slice(0, at), version: text.slice(at + 1) }
}

async function registerFolder(needs: RegisterNeeds, folder: string, by: string): Promise<RegisterOutcome> {
  return register(await readBundle(folder).catch(cannot('read', folder)), by, needs)
}

function tell(outcome: RegisterOutcome, done: string, output: Output): ExitCode {
  switch (outcome.kind) {
    case 'done': {
      const { type, digest, sequence } = outcome
      if (output.format === 'json') printJson(output, { type, ...(digest && { digest }), sequence })
      else output.print(`${type} is ${done}${digest === '' ? '' : ` with the digest ${digest}`} (change ${sequence})`)
      return 0
    }
    case 'refused':
      for (const problem of outcome.problems) output.complain(formatProblem(problem))
      output.complain('Nothing was changed: see the problems above')
      return 1
    case 'taken':
      output.complain(`Cannot register ${outcome.type}: it is there with other files, and a version never changes`)
      return 1
    case 'unknown':
      output.complain(`Cannot find ${outcome.type}: no such version is registered`)
      return 1
    case 'crowded':
      throw new CommandFailed(3, 'Cannot change the registry: others change it all the time; try again')
  }
}

async function list({ registry }: RegisterNeeds, output: Output): Promise<ExitCode> {
  const { versions } = await registry.read()
  printRows(output, versions.map(rowOf), versions, 'nothing is registered')
  return 0
}

function rowOf({ sequence, atMs, by, digest, deprecated = '-', ...version }: RegisteredVersion) {
  return {
    change: sequence,
    type: typeKey(version),
    digest: digest.slice(0, 12),
    registered: formatTime(atMs),
    by,
    deprecated,
  }
}

async function show(needs: RegisterNeeds, text: string, output: Output): Promise<ExitCode> {
  const wanted = typeKey(versionIn(text))
  const { state, bundles } = await needs.registered.read()
  const at = state.versions.findIndex((version) => typeKey(version) === wanted)
  const version = state.versions[at]
  if (!version) return tell({ kind: 'unknown', type: wanted }, '', output)
  const files = await readBundle(bundles[at]!.folder)
  const sizes = Object.fromEntries([...files].map(([path, content]) => [path, content.length]))
  if (output.format === 'json') printJson(output, { ...version, files: sizes })
  else {
    const { digest, sequence, atMs, by, deprecated } = version
    output.print(`${wanted}\ndigest      ${digest}\nregistered  ${formatTime(atMs)} by ${by} (change ${sequence})`)
    if (deprecated !== undefined) output.print(`deprecated  ${deprecated}`)
    for (const [path, bytes] of Object.entries(sizes)) output.print(`file        ${path} (${bytes} bytes)`)
  }
  return 0
}
