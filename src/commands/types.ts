import type { Assembly } from '../assemble.ts'
import { digestOfBundle } from '../config/bundle.ts'
import { type DocumentType, typeKey } from '../domain/document-type.ts'
import type { FieldSource } from '../domain/fields.ts'
import { didYouMean } from '../domain/nearest.ts'
import type { OfferedType } from '../domain/offered-type.ts'
import type { RegisteredVersion } from '../domain/registration.ts'
import { newestOf } from '../domain/type-version.ts'
import { assembledWithWhatIsRegistered } from './assembled.ts'
import { type ExitCode, formatTime, type Output, printJson, printRows } from './output.ts'

/** The document types of a folder and those that are registered besides, as senders meet them. */
export async function typesList(folder: string, output: Output): Promise<ExitCode> {
  const { assembly, versions } = await assembledWithWhatIsRegistered(folder, output)
  assembly.documents.dispose()
  return listTypes(assembly, versions, output)
}

/** @param subject NAME@VERSION, or NAME for its newest version that isn't deprecated. */
export async function typesShow(folder: string, subject: string, output: Output): Promise<ExitCode> {
  const { assembly, versions } = await assembledWithWhatIsRegistered(folder, output)
  assembly.documents.dispose()
  return showType(subject, assembly, versions, output)
}

type Loaded = Pick<Assembly, 'configuration' | 'offered'>

export function listTypes(loaded: Loaded, versions: readonly RegisteredVersion[], output: Output): ExitCode {
  const types = loaded.offered.map((one) => describe(one, loaded, versions))
  printRows(output, types.map(rowOf), types, 'there are no document types')
  return 0
}

export function showType(
  subject: string,
  loaded: Loaded,
  versions: readonly RegisteredVersion[],
  output: Output,
): ExitCode {
  const found = find(loaded.offered, subject)
  if (!found) {
    const known = loaded.offered.map(({ type }) => typeKey(type))
    output.complain(`Cannot find the document type ${subject}${didYouMean(subject, known)}`)
    return 1
  }
  const described = describe(found, loaded, versions)
  if (output.format === 'json') printJson(output, described)
  else for (const line of linesOf(described)) output.print(line)
  return 0
}

function find(offered: readonly OfferedType[], subject: string): OfferedType | undefined {
  const exact = offered.find(({ type }) => typeKey(type) === subject)
  if (exact) return exact
  const newest = newestOf(offered.map(({ type }) => type).filter(({ name }) => name === subject))
  return offered.find(({ type }) => type === newest)
}

type Described = ReturnType<typeof describe>

function describe(
  { type, layers, files, sample }: OfferedType,
  { configuration }: Loaded,
  versions: readonly RegisteredVersion[],
) {
  const key = typeKey(type)
  const registered = versions.find((version) => typeKey(version) === key)
  const { name, version, deprecated, families, compatibility, identify, namespaces, senders, fields, onInvalid } = type
  const contents = new Map(files.map((file) => [file.name, file.content]))
  return {
    ...{ name, version, deprecated: deprecated ?? null, families, compatibility: compatibility ?? 'none' },
    ...{ identify, namespaces, layers, onInvalid, senders: senders ?? null, fields, key: type.key ?? null },
    files: Object.fromEntries(files.map((file) => [file.name, file.content.length])),
    sample: sample ? { name: sample.name, bytes: sample.content.length } : null,
    /** Of a registered version, its bundle's; otherwise of the schema's files, likewise. */
    digest: registered?.digest ?? (files.length > 0 ? digestOfBundle(contents) : null),
    from: registered ? registration(registered) : { file: fileOf(type, configuration) },
  }
}

function registration({ sequence, atMs, by }: RegisteredVersion) {
  return { registered: { sequence, at: new Date(atMs).toISOString(), by } }
}

function fileOf(type: DocumentType, { locate }: Assembly['configuration']): string {
  const { file, line } = locate('DocumentType', typeKey(type), [])
  return `${file}:${line}`
}

function rowOf(type: Described) {
  return {
    type: typeKey(type),
    schema: type.layers.map(({ language }) => language).join(' ') || 'none',
    families: type.families.join(' ') || '-',
    senders: type.senders === null ? '(all)' : type.senders.join(' ') || '(nobody)',
    fields: Object.keys(type.fields).join(' ') || '-',
    sample: type.sample?.name ?? '-',
    digest: type.digest?.slice(0, 12) ?? '-',
    from: 'registered' in type.from ? 'registered' : type.from.file,
    deprecated: type.deprecated ?? '-',
  }
}

function linesOf(type: Described): readonly string[] {
  const rows: readonly (readonly [string, string | undefined | null])[] = [
    ['from', source(type)],
    ['digest', type.digest],
    ['deprecated', type.deprecated],
    ['families', type.families.join(' ') || undefined],
    ['keeps', type.compatibility === 'none' ? undefined : type.compatibility],
    ['recognised', JSON.stringify(type.identify)],
    ['senders', type.senders === null ? 'all that may send at all' : type.senders.join(' ') || 'nobody'],
    ['invalid', type.onInvalid],
    ...type.layers.map(({ language, file, onInvalid }) => ['layer', `${language} ${file} (${onInvalid})`] as const),
    ...Object.entries(type.files).map(([name, bytes]) => ['file', `${name} (${bytes} bytes)`] as const),
    ...Object.entries(type.fields).map(([name, field]) => ['field', `${name}: ${sourceOf(field)}`] as const),
    ['key', type.key],
    ['sample', type.sample && `${type.sample.name} (${type.sample.bytes} bytes)`],
  ]
  const told = rows.filter(([, value]) => value !== undefined && value !== null)
  return [typeKey(type), ...told.map(([name, value]) => `${name.padEnd(10)}  ${value}`)]
}

function source({ from }: Described): string {
  if (!('registered' in from)) return from.file
  const { sequence, at, by } = from.registered
  return `registered ${formatTime(Date.parse(at))} by ${by} (change ${sequence})`
}

function sourceOf(field: FieldSource): string {
  return Object.entries(field)
    .map(([how, what]) => `${how} ${what}`)
    .join(' ')
}
