import { dirname, join, resolve } from 'node:path'
import type { DocumentType, Identify, SchemaSource } from '../domain/document-type.ts'
import { OPAQUE_TYPE } from '../domain/envelope.ts'
import { bundleFolder, findFile } from './find-files.ts'
import type { DocumentType as Written } from './kinds.ts'
import { didYouMean } from './nearest.ts'
import type { Thing } from './thing.ts'

/** A document type of a thing that its schema found sound; what is wrong beyond that is complained of. */
export async function readDocumentType(thing: Thing<Written>, folder: string): Promise<DocumentType> {
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
  return {
    name: value.name,
    identify: readIdentify(value.identify),
    namespaces: value.namespaces,
    schema: await readSchema(thing, folder),
    senders: value.senders,
    fields: value.fields,
    key: value.key,
    onInvalid: value.onInvalid,
  }
}

function readIdentify({ xml, json, mediaType }: Written['identify']): Identify {
  if (xml) return { xml }
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

async function readSchema(
  { value, file, complain }: Thing<Written>,
  folder: string,
): Promise<SchemaSource | undefined> {
  if (typeof value.schema === 'string') return undefined
  const { xsd, rng, json } = value.schema
  const path = (xsd ?? rng ?? json)!
  const language = schemaLanguage(xsd, rng)
  const at = ['schema', language]
  const form = formOf(value)
  if (form === 'mediaType' || (form === 'json') !== (language === 'json')) {
    const words = {
      xml: 'XML needs xsd or rng',
      json: 'JSON needs json',
      mediaType: 'opaque content has none: say none',
    }
    complain('wrong-schema-language', at, `schema can't be ${language} here: ${words[form]}`, { at: 'key' })
  }
  const bases = [dirname(resolve(folder, file)), join(folder, 'schemas'), folder]
  const found = await findFile(folder, bases, path)
  switch (found.kind) {
    case 'found':
      return { language, file: found.file, folder: bundleFolder(found.base, found.file) }
    case 'outside':
      complain('file-outside', at, `Cannot read schema ${path}: it lies outside of the configuration folder`)
      return undefined
    case 'missing':
      complain('file-missing', at, `Cannot find schema ${path}: it is none of ${found.places.join(', ')}`)
      return undefined
  }
}

function schemaLanguage(xsd: string | undefined, rng: string | undefined): SchemaSource['language'] {
  if (xsd !== undefined) return 'xsd'
  return rng === undefined ? 'json' : 'rng'
}
