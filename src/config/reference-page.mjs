/** Writes the reference page of the configuration from the JSON Schemas of its kinds. */
import { stringify } from 'yaml'

const INTRODUCTION = `# Configuration

<!-- Made from schemas/*.schema.json by npm run generate: change those. -->

One folder, given to every command (\`waybill run DIR\`). \`waybill check DIR\` says what is wrong in all of its files at once, each problem with file, line, column and
[code](#problems). Of one type, route, group or policy it says all that is wrong with its keys and the form of its values; only where there is nothing of that kind does it look at what the
thing refers to: files, policies, groups, fields, prefixes. Of a route, the conditions are looked at all the same where they themselves have no such mistake. What is surely not meant
(warnings such as \`route-shadowed\` or \`path-impossible\`) is looked for once there is no error.

- \`waybill.yaml\` holds the [installation](#waybill).
- Files named by its \`load\` hold [document types](#documenttype), [routes](#route), groups of [destinations](#destinationgroup) and [senders](#sendergroup), and [policies](#policy), several YAML documents a file where that is handy.
- A key that isn't known is an error: nothing is passed over.

**Completion in an editor.** Editors that speak to yaml-language-server take the schema from the first line of a file that holds one kind:

\`\`\`yaml
# yaml-language-server: $schema=../node_modules/waybill/schemas/route.schema.json
\`\`\`

**Environment.** \`\${NAME}\` in a value reads a variable; one that isn't set is an error. Names are letters, digits and \`_\`; \`$\${\` stands for \`\${\` itself.
Where a number or \`true\` is needed, the variable's text is read as such. The variables in the column "environment" take the place of what the file says, also where
the file says nothing; an empty one counts as not set. What a key marked *secret* holds never stands in a message.

**Durations** are a number and a unit, \`500ms\`, \`30s\`, \`10m\`, \`1h\`, \`7d\`, several together (\`1h30m\`), or ISO 8601 (\`PT10M\`, \`P1D\`; no months, no years).

**JIDs** are compared in their normal form (RFC 7622). In a JID pattern \`*\` matches within one part only; a pattern without resource compares bare JIDs.

**Paths** of schemas are looked up beside the YAML file that names them, then in \`schemas/\` of the configuration folder, then in that folder itself; test documents beside the
YAML file, then in the configuration folder. A schema may take in other files from the folder that its path begins with (\`ubl-2.1/maindoc/UBL-Invoice-2.1.xsd\`: all of \`ubl-2.1/\`),
and from nowhere else. Nothing outside the configuration folder is read: a link is followed to a place within the folder, as Kubernetes mounts a ConfigMap, and is an error where it
leads out of it, or nowhere. A file that is there by several names, by way of links, is read once. \`waybill.yaml\` itself may be a link to anywhere: it has the secrets, which are often mounted or made elsewhere
(\`waybill.yaml -> /run/secrets/waybill.yaml\`). What it names is looked up in the configuration folder all the same. Of a change behind a link that leads out of the folder nothing is heard: SIGHUP loads it.
`

/**
 * @param {{ kind: string, schema: any }[]} kinds
 * @param {Record<string, string>} problems Code to explanation.
 */
export function referencePage(kinds, problems) {
  const sections = kinds.map(({ kind, schema }) => kindSection(kind, schema))
  return `${[INTRODUCTION, ...sections, problemSection(problems)].join('\n')}`
}

function kindSection(kind, schema) {
  const rows = rowsOf(schema, schema, '')
  const examples = schema.examples.map((example) => `\`\`\`yaml\n${stringify(example, { lineWidth: 0 })}\`\`\`\n`)
  return [
    `## ${schema.title}\n`,
    `${schema.description} Schema: \`schemas/${kind}.schema.json\`.\n`,
    '| key | value | default | environment | meaning |\n|---|---|---|---|---|',
    `${rows.join('\n')}\n`,
    ...examples,
  ].join('\n')
}

function rowsOf(root, schema, prefix) {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const key = `${prefix}${name}`
    const needed = schema.required?.includes(name)
    return [row(root, key, property, needed), ...innerRows(root, property, key)]
  })
}

const DESTINATION = '#/definitions/destination'

function innerRows(root, property, key) {
  // What stands in itself is told once, where it is first used.
  const target = property.$ref ? definitionOf(root, property) : property
  const own = rowsOf(root, target, `${key}.`)
  const item = property.items?.$ref === DESTINATION ? definitionOf(root, property.items) : property.items
  const items = item ? rowsOf(root, item, `${key}[].`) : []
  const named = property.additionalProperties?.properties
    ? rowsOf(root, property.additionalProperties, `${key}.NAME.`)
    : []
  return [...own, ...items, ...named]
}

function definitionOf(root, { $ref }) {
  return root.definitions[$ref.replace('#/definitions/', '')]
}

function row(root, key, property, needed) {
  const cells = [
    `\`${key}\``,
    valueWords(root, property),
    needed ? '*needed*' : defaultWords(property.default),
    property['x-environment'] ? `\`${property['x-environment']}\`` : '',
    meaning(property),
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function defaultWords(value) {
  if (value === undefined || isEmptyMapping(value)) return ''
  return `\`${JSON.stringify(value).replace(/^"(.*)"$/, '$1')}\``
}

function isEmptyMapping(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
}

function meaning(property) {
  const secret = property.writeOnly ? ' *Secret.*' : ''
  const [example] = property.examples ?? []
  const simple = typeof example !== 'object' || Array.isArray(example)
  const shown = simple && JSON.stringify(example) !== JSON.stringify(property.default ?? property.const)
  return `${property.description}${secret}${shown ? ` Such as \`${JSON.stringify(example)}\`` : ''}`
}

const FORMATS = {
  'xmpp-address': 'address',
  'redis-address': 'address',
  'listen-address': '`HOST:PORT`',
  domain: 'domain',
  'bare-jid': 'bare JID',
  jid: 'JID',
  'jid-pattern': 'JID pattern',
  timespan: 'duration',
  'expanded-name': '`{namespace}name`',
  'json-pointer': 'JSON Pointer',
  'media-type': 'media type',
  expression: 'regular expression',
  destination: 'destination',
}

const TYPES = {
  string: 'string',
  number: 'number',
  integer: 'whole number',
  boolean: 'true or false',
  object: 'mapping',
  array: 'list',
  null: 'null',
}

function valueWords(root, property) {
  if (property.$ref) {
    const name = property.$ref.replace('#/definitions/', '')
    if (name === 'conditions') return '[condition or list of them](routes.md#conditions-on-values)'
    return name === 'group' ? 'mapping' : name
  }
  if (property.tsType === 'Group | Group[]') return '[group](routes.md#groups) or list of them'
  const choices = property.enum ?? property.then?.enum
  if (property.const) return `\`${property.const}\``
  if (property.enum) return property.enum.map((value) => `\`${value}\``).join(', ')
  const types = [property.type ?? []].flat().map((type) => {
    return `${typeWords(root, property, type, choices)}${isNumeric(type) || property['x-span'] ? range(property) : ''}`
  })
  return types.join(' or ') || 'anything'
}

function typeWords(root, property, type, choices) {
  if (type === 'string' && /^\^\w+\$$/.test(property.pattern)) return `\`${property.pattern.slice(1, -1)}\``
  if (type === 'string' && choices) return choices.map((value) => `\`${value}\``).join(', ')
  if (property.type === 'string') return FORMATS[property.format] ?? property['x-expects'] ?? TYPES.string
  if (type === 'string') return FORMATS[property.format] ?? TYPES.string
  if (type !== 'array' || !property.items) return TYPES[type]
  if (property.items.properties || property.items.$ref === DESTINATION) return 'list of mappings'
  if (property.items.$ref === '#/definitions/group') return 'list of [groups](routes.md#groups)'
  const words = valueWords(root, { ...property.items, 'x-expects': undefined })
  return `list of ${words}${words.endsWith('`') ? '' : 's'}`
}

function isNumeric(type) {
  return type === 'integer' || type === 'number'
}

function range({ minimum, maximum, 'x-span': span }) {
  if (span) return `, ${span.minimum} to ${span.maximum}`
  if (minimum === undefined && maximum === undefined) return ''
  if (maximum === undefined) return `, at least ${minimum}`
  return `, ${minimum} to ${maximum}`
}

function problemSection(problems) {
  const rows = Object.entries(problems).map(([code, text]) => `| \`${code}\` | ${text} |`)
  return `## Problems\n\nCodes are stable.\n\n| code | meaning |\n|---|---|\n${rows.join('\n')}\n`
}
