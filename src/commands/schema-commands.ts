import { userInfo } from 'node:os'
import { type Command, Option } from 'commander'
import { type Act, examples, formatOption, gather, positive } from './command-line.ts'
import type { SchemaVerb } from './schema.ts'

const SCHEMA_DIFF_EXAMPLES = [
  'schema diff v1/invoice.xsd v2/invoice.xsd',
  'schema diff v1 v2 --mode full -o json',
  'schema diff old.xsd new.xsd --against archive --config conf --type invoice',
] as const

type OnRegistry = (
  verb: SchemaVerb,
) => (dir: string, subject: string | undefined, options: { output: string }) => Promise<void>

/** `waybill schema …`: versions that are compared, and those that are registered while Waybill runs. */
export function addSchemaCommands(waybill: Command, act: Act): void {
  const schema = waybill
    .command('schema')
    .description('Schemas of document types.')
    .addHelpText('before', examples(SCHEMA_DIFF_EXAMPLES[0], 'schema register conf invoice-2.2', 'schema ls conf'))
  const onRegistry: OnRegistry = (verb) => (dir, subject, options) =>
    act(
      async (output) =>
        (await import('./schema.ts')).schema(dir, verb, subject, { ...options, by: userInfo().username }, output),
      options.output,
    )
  addDiff(schema, act)
  addRegister(schema, onRegistry)
  addLs(schema, onRegistry)
  addShow(schema, onRegistry)
  addDeprecate(schema, onRegistry)
  addRemove(schema, onRegistry)
}

function addDiff(schema: Command, act: Act): void {
  schema
    .command('diff')
    .description(
      'Whether documents of one version of a schema are accepted by another; shown by a document, or proven.',
    )
    .argument('<old>', 'the old version: a file, or a folder with one first file')
    .argument('<new>', 'the new version, likewise')
    .addOption(
      new Option('--mode <mode>', 'what must hold').choices(['backward', 'forward', 'full']).default('backward'),
    )
    .option('--root <name>', 'root element of the documents, {namespace}name; may be given several times', gather)
    .option('--against <folder>', 'documents to try the new version on; or archive: what was accepted')
    .option('--config <dir>', 'archive: the configuration folder (default: .)')
    .option('--type <name>', 'archive: the document type')
    .option('--last <n>', 'archive: how many of its newest documents (1,000 where it is left out)', positive)
    .addOption(formatOption())
    .addHelpText('before', examples(...SCHEMA_DIFF_EXAMPLES))
    .action((old: string, next: string, options) =>
      act(async (output) => (await import('./schema-diff.ts')).schemaDiff(old, next, options, output), options.output),
    )
}

function addRegister(schema: Command, onRegistry: OnRegistry): void {
  schema
    .command('register')
    .description('Register a bundle as a version of its type: in force in every process at once.')
    .argument('<dir>', 'the configuration folder; . where it is left out')
    .argument('<bundle>', 'a folder with type.yaml and all files of the schema')
    .addOption(formatOption())
    .addHelpText(
      'before',
      examples(
        'schema register invoice-2.2',
        'schema register conf invoice-2.2',
        'schema register conf invoice-2.2 -o json',
      ),
    )
    .action(onRegistry('register'))
}

function addLs(schema: Command, onRegistry: OnRegistry): void {
  schema
    .command('ls')
    .description('The versions that are registered, in the order in which they were.')
    .argument('[dir]', 'the configuration folder', '.')
    .addOption(formatOption())
    .addHelpText('before', examples('schema ls', 'schema ls conf', 'schema ls conf -o json'))
    .action((dir: string, options) => onRegistry('ls')(dir, undefined, options))
}

function addShow(schema: Command, onRegistry: OnRegistry): void {
  schema
    .command('show')
    .description('One registered version, and the files of its bundle.')
    .argument('<dir>', 'the configuration folder; . where it is left out')
    .argument('<version>', 'NAME@VERSION')
    .addOption(formatOption())
    .addHelpText(
      'before',
      examples('schema show invoice@2.2', 'schema show conf invoice@2.2', 'schema show conf invoice@2.2 -o json'),
    )
    .action(onRegistry('show'))
}

function addDeprecate(schema: Command, onRegistry: OnRegistry): void {
  schema
    .command('deprecate')
    .description('Accept a registered version with a notice to its senders from now on.')
    .argument('<dir>', 'the configuration folder; . where it is left out')
    .argument('<version>', 'NAME@VERSION')
    .option('--text <notice>', 'what senders are told; left out, the version is deprecated no longer')
    .addOption(formatOption())
    .addHelpText(
      'before',
      examples(
        'schema deprecate invoice@2.0 --text "please send 2.1"',
        'schema deprecate conf invoice@2.0 --text "until June"',
        'schema deprecate conf invoice@2.0',
      ),
    )
    .action(onRegistry('deprecate'))
}

function addRemove(schema: Command, onRegistry: OnRegistry): void {
  schema
    .command('remove')
    .description('Take a registered version no longer.')
    .argument('<dir>', 'the configuration folder; . where it is left out')
    .argument('<version>', 'NAME@VERSION')
    .addOption(formatOption())
    .addHelpText(
      'before',
      examples('schema remove invoice@2.0', 'schema remove conf invoice@2.0', 'schema remove conf invoice@2.0 -o json'),
    )
    .action(onRegistry('remove'))
}
