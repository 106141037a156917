import { dirname, join, resolve } from 'node:path'
import type { DocumentType, Identify, SchemaLayer } from '../domain/document-type.ts'
import { OPAQUE_TYPE } from '../domain/envelope.ts'
import { didYouMean } from '../domain/nearest.ts'
import { bundleFolder, findFile } from './find-files.ts'
import type { DocumentType as Written } from './kinds.ts'
import type { Thing } from './thing.ts'

/** What a document type can refer to. */
export interface TypeSurroundings {
  /** Where its file and its schemas lie. */
  readonly folder: string
  /** Patterns of the groups of senders that their schema found sound. */
  readonly senderGroups: ReadonlyMap<string, readonly string[]>
  /** Names of all of them, those with errors too. */
  readonly senderGroupNames: ReadonlySet<string>
}

/**
 * A document type of a thing that its schema found sound; what is wrong beyond that is complained of. Its families are those that it
 * names itself.
 */
export async function readDocumentType(thing: Thing<Written>, surroundings: TypeSurroundings): Promise<DocumentType> {
  const { value, complain } = thing
  if (value.name === OPAQUE_TYPE) {
    complain(
      'reserved-name',
      ['name'],
      `name must not be ${OPAQUE_TYPE}: so opaque content is called that no type claims`,
    )
  }
  checkSources(thing)
  checkKey(thing)
  checkBody(thing)
  return {
    name: value.name,
    version: value.version ?? '',
    families: value.family === undefined ? [] : [value.family].flat(),
    deprecated: value.deprecated,
    ...(value.compatibility !== 'none' && { compatibility: value.compatibility }),
    identify: readIdentify(value.identify),
    namespaces: value.namespaces,
    layers: await readLayers(thing, surroundings.folder),
    senders: readSenders(thing, surroundings),
    fields: value.fields,
    key: value.key,
    onInvalid: value.onInvalid,
  }
}

function readIdentify({ xml, json, mediaType }: Written['identify']): Identify {
  if (xml) {
    const { match, ...rest } = xml
    if (match === undefined) return { xml: rest }
    const texts = Object.entries(match).map(([path, text]) => [path, [text].flat()] as const)
    return { xml: { ...rest, match: Object.fromEntries(texts) } }
  }
  if (json) return { json }
  return { mediaType: mediaType!.toLowerCase() }
}

type Form = 'xml' | 'json' | 'mediaType'

/** What a type's documents are, as `identify` says. */
export function formOf({ identify }: Pick<Written | DocumentType, 'identify'>): Form {
  if (identify.xml) return 'xml'
  return identify.json ? 'json' : 'mediaType'
}

const FORM_WORDS: Readonly<Record<Form, string>> = {
  xml: 'XML is read by xpath',
  json: 'JSON is read by pointer or jsonpath',
  mediaType: 'opaque content is never looked into',
}

function checkSources({ value, complain }: Thing<Written>): void {
  const form = formOf(value)
  for (const [name, { xpath, pointer }] of Object.entries(value.fields)) {
    const ofJson = pointer === undefined ? 'jsonpath' : 'pointer'
    const source = xpath === undefined ? ofJson : 'xpath'
    if ((source === 'xpath') === (form === 'xml') && form !== 'mediaType') continue
    const message = `Cannot read field ${name} by ${source}: ${FORM_WORDS[form]}`
    complain('wrong-source', ['fields', name, source], message, { at: 'key' })
  }
}

function checkKey({ value, complain }: Thing<Written>): void {
  if (value.key === undefined || Object.hasOwn(value.fields, value.key)) return
  const guess = didYouMean(value.key, Object.keys(value.fields))
  complain('field-unknown', ['key'], `key must be one of the type's fields: there is no field ${value.key}${guess}`)
}

/** SOAP 1.1 and 1.2; XEP-0072 says 1.2. */
const SOAP_ROOTS: readonly string[] = [
  '{http://www.w3.org/2003/05/soap-envelope}Envelope',
  '{http://schemas.xmlsoap.org/soap/envelope/}Envelope',
]

function checkBody({ value, complain }: Thing<Written>): void {
  const { xml } = value.identify
  if (xml?.body === undefined || SOAP_ROOTS.includes(xml.root)) return
  const message = `identify.xml.body needs the root of a SOAP envelope, ${SOAP_ROOTS.join(' or ')}: found ${xml.root}`
  complain('soap-root', ['identify', 'xml', 'body'], message)
}

function readSenders(
  { value, complain }: Thing<Written>,
  { senderGroups, senderGroupNames }: TypeSurroundings,
): readonly string[] | undefined {
  return value.senders?.flatMap((sender, at) => {
    if (typeof sender === 'string') return [sender]
    const { group } = sender
    if (!senderGroupNames.has(group)) {
      const message = `Unknown group of senders "${group}"${didYouMean(group, senderGroupNames)}`
      complain('sender-group-unknown', ['senders', at, 'group'], message)
    }
    return senderGroups.get(group) ?? []
  })
}

type Language = SchemaLayer['language']
type WrittenLayer =
  | string
  | { readonly file: string; readonly onInvalid?: SchemaLayer['onInvalid']; readonly phase?: string }

/** Before them is the place of signatures: what isn't signed as it must be is not looked into. */
const LANGUAGES: readonly Language[] = ['xsd', 'rng', 'json', 'schematron']

async function readLayers(thing: Thing<Written>, folder: string): Promise<readonly SchemaLayer[]> {
  const { value, complain } = thing
  const { schema } = value
  if (typeof schema === 'string') return []
  if (schema.xsd !== undefined && schema.rng !== undefined) {
    complain('choose-one', ['schema'], 'schema needs one of xsd and rng: found xsd and rng', { at: 'key' })
    return []
  }
  const layers: SchemaLayer[] = []
  for (const language of LANGUAGES) {
    const written = schema[language]
    if (written === undefined || !fits(thing, language)) continue
    const isList = Array.isArray(written)
    for (const [at, one] of (isList ? written : [written]).entries()) {
      const place = isList ? ['schema', language, String(at)] : ['schema', language]
      const layer = await readLayer(thing, folder, language, one, place)
      if (layer) layers.push(layer)
    }
  }
  return layers
}

const NEEDED: Readonly<Record<Form, string>> = {
  xml: 'XML is checked by xsd, rng, json and schematron',
  json: 'JSON needs json',
  mediaType: 'opaque content has none: say none',
}

function fits({ value, complain }: Thing<Written>, language: Language): boolean {
  const form = formOf(value)
  if (form === 'xml' || (form === 'json' && language === 'json')) return true
  const message = `schema can't be ${language} here: ${NEEDED[form]}`
  complain('wrong-schema-language', ['schema', language], message, { at: 'key' })
  return false
}

async function readLayer(
  { file, bundle, value, complain }: Thing<Written>,
  folder: string,
  language: Language,
  written: WrittenLayer,
  place: readonly string[],
): Promise<SchemaLayer | undefined> {
  const { file: path, onInvalid = value.onInvalid, phase = '#DEFAULT' } = whole(written)
  const at = typeof written === 'string' ? place : [...place, 'file']
  const bases = bundle === undefined ? [dirname(resolve(folder, file)), join(folder, 'schemas'), folder] : [bundle]
  const found = await findFile(bundle ?? folder, bases, path)
  switch (found.kind) {
    case 'found': {
      const around = bundle ?? bundleFolder(found.base, found.file)
      const chosen = language === 'schematron' ? phase : ''
      return { language, file: found.file, folder: around, onInvalid, phase: chosen, place }
    }
    case 'outside':
      complain(
        'file-outside',
        at,
        `Cannot read schema ${path}: it lies outside of the ${bundle === undefined ? 'configuration folder' : 'bundle'}`,
      )
      return undefined
    case 'missing':
      complain('file-missing', at, `Cannot find schema ${path}: it is none of ${found.places.join(', ')}`)
      return undefined
  }
}

function whole(written: WrittenLayer): Exclude<WrittenLayer, string> {
  return typeof written === 'string' ? { file: written } : written
}
