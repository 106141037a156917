#!/usr/bin/env node
/**
 * Writes what comes from the JSON Schemas of the configuration kinds: `src/config/kinds.ts` and `docs/configuration.md`; and the
 * destinations of a group, which are those of a route.
 * With `--check` it writes nothing, and exits 1 where a committed file is not what would be written.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { compile } from 'json-schema-to-typescript'
import { referencePage } from './reference-page.mjs'

const typeOptions = {
  bannerComment: '',
  unreachableDefinitions: true,
  ignoreMinAndMaxItems: true,
  style: { semi: false, singleQuote: true, printWidth: 120 },
}

const DROPPED = new Set('title $id oneOf anyOf if then else dependencies default examples propertyNames'.split(' '))

const root = new URL('../../', import.meta.url)
const KINDS = ['waybill', 'document-type', 'route', 'destination-group', 'sender-group', 'policy']

const GROUP_SCHEMA = 'schemas/destination-group.schema.json'
const groupSchema = withDestinations()
const schemas = KINDS.map((kind) =>
  JSON.parse(kind === 'destination-group' ? groupSchema : read(`schemas/${kind}.schema.json`)),
)
const outputs = {
  [GROUP_SCHEMA]: groupSchema,
  'src/config/kinds.ts': await kindTypes(),
  'docs/configuration.md': referencePage(
    KINDS.map((kind, at) => ({ kind, schema: schemas[at] })),
    JSON.parse(read('src/config/problems.json')),
  ),
}

const stale = Object.entries(outputs).filter(([path, text]) => read(path) !== text)
if (process.argv.includes('--check')) {
  for (const [path] of stale) console.error(`${path} is not what the schemas say: run npm run generate`)
  process.exitCode = stale.length === 0 ? 0 : 1
} else {
  for (const [path, text] of stale) writeFileSync(new URL(path, root), text)
}

/** A group's destinations are a route's, without groups: written down once, in the route's schema. */
function withDestinations() {
  const { destination } = JSON.parse(read('schemas/route.schema.json')).definitions
  const { group: _, ...properties } = destination.properties
  const own = {
    ...destination,
    title: 'Destination of a group',
    description: 'Either `pubsub` with `node`, or `jid`.',
    oneOf: destination.oneOf.filter(({ required }) => required[0] !== 'group'),
    properties,
  }
  const schema = { ...JSON.parse(read(GROUP_SCHEMA)), definitions: { destination: own } }
  return format(JSON.stringify(schema, null, 2))
}

/** As Biome formats JSON: `--check` compares texts. */
function format(text) {
  const biome = fileURLToPath(new URL('node_modules/.bin/biome', root))
  return execFileSync(biome, ['format', '--stdin-file-path=a.json'], { input: text, encoding: 'utf8' })
}

async function kindTypes() {
  const texts = []
  for (const schema of schemas) texts.push(await compile(forTypes(schema), schema.title, typeOptions))
  return `/* Made from schemas/*.schema.json by npm run generate: change those. */\n\n${texts.join('\n')}`
}

function read(path) {
  try {
    return readFileSync(new URL(path, root), 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return ''
    throw error
  }
}

/**
 * The types are those of a loaded value: what has a default is there. Titles below the first level would make a named type of
 * every property; alternatives and `$id` mean nothing to types.
 */
function forTypes(schema) {
  const definitions = Object.entries(schema.definitions ?? {}).map(([name, value]) => [
    name,
    { ...withoutTitles(value), title: value.title },
  ])
  return { ...withoutTitles(schema), title: schema.title, definitions: Object.fromEntries(definitions) }
}

function withoutTitles(schema) {
  if (Array.isArray(schema)) return schema.map(withoutTitles)
  if (typeof schema !== 'object' || schema === null) return schema
  if (schema.$ref) return { $ref: schema.$ref }
  const kept = Object.entries(schema).filter(([key]) => !DROPPED.has(key) && key !== 'properties')
  const plain = Object.fromEntries(kept.map(([key, value]) => [key, withoutTitles(value)]))
  if (!schema.properties) return plain
  const properties = Object.entries(schema.properties)
  return {
    ...plain,
    properties: Object.fromEntries(properties.map(([name, value]) => [name, withoutTitles(value)])),
    required: properties.flatMap(([name, value]) => {
      return schema.required?.includes(name) || value.default !== undefined ? [name] : []
    }),
  }
}
