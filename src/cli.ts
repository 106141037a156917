#!/usr/bin/env node
import { statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { ArchiveOptions, ArchiveVerb } from './commands/archive.ts'
import type { DeadOptions, DeadVerb } from './commands/dead.ts'
import type { HeldOptions, HeldVerb } from './commands/held.ts'
import { CommandFailed, type ExitCode, type Output } from './commands/output.ts'
import type { SchemaVerb } from './commands/schema.ts'
import { VERSION } from './version.ts'

const VERBS: ReadonlySet<string> = new Set(['ls', 'groups', 'show', 'redrive', 'drop', 'park'])
const HELD_VERBS: ReadonlySet<string> = new Set(['ls', 'show', 'release', 'refuse'])
const ARCHIVE_VERBS: ReadonlySet<string> = new Set(['ls', 'show', 'redrive'])
/** Commands with a verb behind DIR. */
const VERBS_OF: Readonly<Record<string, ReadonlySet<string>>> = {
  dead: VERBS,
  held: HELD_VERBS,
  archive: ARCHIVE_VERBS,
}

/** Commands whose DIR is followed by other operands: DIR may be left out, and is `.` then. */
const OPERANDS_AFTER_DIR: Readonly<Record<string, number>> = {
  explain: 1,
  send: 1,
  trace: 1,
  dead: 1,
  held: 1,
  archive: 1,
}

/** Verbs of `schema` with one operand after DIR. */
const SCHEMA_VERBS: ReadonlySet<string> = new Set(['register', 'show', 'deprecate', 'remove'])

const SCHEMA_DIFF_EXAMPLES = [
  'schema diff v1/invoice.xsd v2/invoice.xsd',
  'schema diff v1 v2 --mode full -o json',
  'schema diff old.xsd new.xsd --against archive --config conf --type invoice',
] as const

function program(finish: (code: ExitCode) => void): Command {
  const waybill = new Command('waybill')
    .version(VERSION)
    .description('Routes XML and JSON documents over XMPP.')
    .addHelpText('before', examples('check conf', 'explain conf order.xml --from shop@example.org', 'run conf'))
    .exitOverride()
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${command.usage()}` })
  const act = (work: (output: Output) => Promise<ExitCode>, format: string) => work(outputAs(format)).then(finish)
  const format = () =>
    new Option('-o, --output <format>', 'how results are printed').choices(['table', 'json']).default('table')

  waybill
    .command('run')
    .description('Run Waybill on a configuration folder.')
    .argument('[dir]', 'the configuration folder', '.')
    .addHelpText('before', examples('run', 'run /etc/waybill', 'run conf 2>waybill.log'))
    .action(async (dir: string) => finish(await (await import('./commands/run.ts')).run(dir, outputAs('table'))))

  waybill
    .command('check')
    .description('Every problem of a configuration at once, as file:line:column.')
    .argument('[dir]', 'the configuration folder', '.')
    .option('--strict', 'exit with 1 for warnings too', false)
    .addOption(format())
    .addHelpText('before', examples('check', 'check conf --strict', 'check conf -o json'))
    .action((dir: string, options) =>
      act(async (output) => (await import('./commands/check.ts')).check(dir, options.strict, output), options.output),
    )

  waybill
    .command('test')
    .description('The tests that stand in the route files, without servers, and what they leave untested.')
    .argument('[dir]', 'the configuration folder', '.')
    .option('--junit <file>', "a report in JUnit's XML as well, for CI")
    .addOption(format())
    .addHelpText('before', examples('test', 'test conf --junit report.xml', 'test conf -o json'))
    .action((dir: string, options) =>
      act(async (output) => (await import('./commands/test.ts')).test(dir, options.junit, output), options.output),
    )

  waybill
    .command('explain')
    .usage('[options] [dir] <doc>')
    .description('What would happen to a document, and why; with no effect.')
    .argument('<dir>', 'the configuration folder; . where it is left out')
    .argument('<doc>', 'the document: a file')
    .requiredOption('--from <jid>', 'who sends it')
    .addOption(format())
    .addHelpText(
      'before',
      examples(
        'explain order.xml --from shop@example.org',
        'explain conf order.xml --from shop@example.org',
        'explain conf t.json --from s1@example.org -o json',
      ),
    )
    .action((dir: string, doc: string, options) =>
      act(
        async (output) => (await import('./commands/explain.ts')).explain(dir, doc, options.from, output),
        options.output,
      ),
    )

  waybill
    .command('diff')
    .description('Which deliveries another configuration adds, removes and moves, on real documents; with no effect.')
    .argument('<old>', 'the configuration folder as it is')
    .argument('<new>', 'the configuration folder as it would be')
    .requiredOption(
      '--documents <folder>',
      'documents; those in a folder named by a JID come from it; or archive: what the old one accepted',
    )
    .option('--from <jid>', 'who sends the others')
    .option('--last <n>', 'archive: how many of its newest documents (1,000 where it is left out)', positive)
    .addOption(format())
    .addHelpText(
      'before',
      examples(
        'diff conf conf.new --documents samples --from shop@example.org',
        'diff /etc/waybill . --documents archive',
        'diff conf conf.new --documents archive -o json',
      ),
    )
    .action((old: string, next: string, options) =>
      act(async (output) => (await import('./commands/diff.ts')).diff(old, next, options, output), options.output),
    )

  waybill
    .command('send')
    .usage('[options] [dir] <doc>')
    .description('Send a document as a real client; prints the acknowledgement or the findings.')
    .argument('<dir>', 'the configuration folder; . where it is left out')
    .argument('<doc>', 'the document: a file')
    .requiredOption('--from <jid>', 'the account that sends it')
    .option('--service <uri>', 'the server: xmpp://host:port, or xmpps:// for direct TLS (default: by DNS)')
    .option('--password-env <name>', 'environment variable with the password', 'WAYBILL_PASSWORD')
    .option('--sealed', 'byte for byte (XEP-0231) rather than as an element', false)
    .option('--to <jid>', 'to another address than the configured domain')
    .option('--timeout <seconds>', 'how long to wait for the answer', positive, 20)
    .addOption(format())
    .addHelpText(
      'before',
      examples(
        'send order.xml --from shop@example.org',
        'send conf order.xml --from shop@example.org --service xmpp://127.0.0.1:5222 --password-env SHOP_PASSWORD',
        'send conf signed.xml --sealed --from shop@example.org',
      ),
    )
    .action((dir: string, doc: string, options) =>
      act(
        async (output) =>
          (await import('./commands/send.ts')).send(
            dir,
            doc,
            { ...options, timeoutMs: options.timeout * 1000 },
            output,
          ),
        options.output,
      ),
    )

  waybill
    .command('dead')
    .usage('[options] [dir] <verb> [id]')
    .description('Dead letters: list, group by cause, show, redrive, drop; and what waits: drop, park.')
    .argument('<dir>', 'the configuration folder; . where it is left out')
    .addArgument(waybill.createArgument('<verb>', 'what to do').choices([...VERBS]))
    .argument('[id]', 'a delivery id, or an envelope id for all that is dead of it')
    .option('--type <name>', 'of this document type')
    .option('--route <name>', 'of this route')
    .option('--destination <name>', 'to this JID, or xmpp:SERVICE?;node=NODE')
    .option('--from <jid>', 'of this sender')
    .option('--field <name=value>', 'a field of the document; may be given several times', gather)
    .option('--since <time>', 'died since: 2026-11-21, "2026-11-21 03:35:45" (UTC), or 2h for two hours ago')
    .option('--until <time>', 'died before, likewise')
    .option('--group <fingerprint>', 'of one cause, as groups prints it')
    .option('--reason <text>', 'dead letters of this reason; drop, park: why, kept with the record')
    .option('--limit <n>', 'at most so many (ls: 100 where it is left out)', positive)
    .option('--all', 'redrive or drop all that the filters choose: a dry run without --yes', false)
    .option('--yes', 'do it', false)
    .option('--dry-run', 'say what would be done, and do nothing', false)
    .option('--document <file>', 'redrive: with this document instead, checked against the type')
    .option('--to <destination>', 'redrive: to another JID, or xmpp:SERVICE?;node=NODE')
    .option('--match-again', 'redrive: by the routes of now', false)
    .option('--keep-place', 'redrive: at its old place in the order, before what was accepted later', false)
    .addOption(format())
    .addHelpText(
      'before',
      examples('dead groups', 'dead conf show 0192…', 'dead conf redrive --all --group 5f0c2a91b3d4 --yes'),
    )
    .action((dir: string, verb: DeadVerb, id: string | undefined, options) =>
      act(
        async (output) =>
          (await import('./commands/dead.ts')).dead(
            dir,
            verb,
            id,
            { ...withoutUndefined(options as DeadOptions), by: userInfo().username },
            output,
          ),
        options.output,
      ),
    )

  waybill
    .command('held')
    .usage('[options] [dir] <verb> [id]')
    .description('Documents that are held because they are invalid: list, show, release, refuse.')
    .argument('<dir>', 'the configuration folder; . where it is left out')
    .addArgument(waybill.createArgument('<verb>', 'what to do').choices([...HELD_VERBS]))
    .argument('[id]', 'an envelope id')
    .option('--type <name>', 'of this document type')
    .option('--from <jid>', 'of this sender')
    .option('--rule <name>', 'the rule of one of its findings')
    .option('--field <name=value>', 'a field of the document; may be given several times', gather)
    .option('--since <time>', 'received since: 2026-11-21, "2026-11-21 03:35:45" (UTC), or 2h for two hours ago')
    .option('--until <time>', 'received before, likewise')
    .option('--reason <text>', 'release, refuse: why, kept with the record')
    .option('--limit <n>', 'at most so many (ls: 100 where it is left out)', positive)
    .option('--all', 'release or refuse all that the filters choose: a dry run without --yes', false)
    .option('--yes', 'do it', false)
    .option('--dry-run', 'say what would be done, and do nothing', false)
    .addOption(format())
    .addHelpText(
      'before',
      examples('held ls --type invoice', 'held conf show 0192…', 'held conf release 0192… --reason "agreed by phone"'),
    )
    .action((dir: string, verb: HeldVerb, id: string | undefined, options) =>
      act(
        async (output) =>
          (await import('./commands/held.ts')).held(
            dir,
            verb,
            id,
            { ...withoutUndefined(options as HeldOptions), by: userInfo().username },
            output,
          ),
        options.output,
      ),
    )

  waybill
    .command('archive')
    .usage('[options] [dir] <verb> [id]')
    .description('Accepted documents that are kept: list, show, send again.')
    .argument('<dir>', 'the configuration folder; . where it is left out')
    .addArgument(waybill.createArgument('<verb>', 'what to do').choices([...ARCHIVE_VERBS]))
    .argument('[id]', 'an envelope id')
    .option('--type <name>', 'of this document type')
    .option('--from <jid>', 'of this sender')
    .option('--field <name=value>', 'a field of the document; may be given several times', gather)
    .option('--since <time>', 'received since: 2026-11-21, "2026-11-21 03:35:45" (UTC), or 2h for two hours ago')
    .option('--until <time>', 'received before, likewise')
    .option('--limit <n>', 'at most so many (ls: 100 where it is left out)', positive)
    .option('--reason <text>', 'redrive: why, kept with the record')
    .option('--dry-run', 'say what would be done, and do nothing', false)
    .addOption(format())
    .addHelpText(
      'before',
      examples(
        'archive ls --type invoice',
        'archive conf show 0192…',
        'archive conf redrive 0192… --reason "lost by the receiver"',
      ),
    )
    .action((dir: string, verb: ArchiveVerb, id: string | undefined, options) =>
      act(
        async (output) =>
          (await import('./commands/archive.ts')).archive(
            dir,
            verb,
            id,
            { ...withoutUndefined(options as ArchiveOptions), by: userInfo().username },
            output,
          ),
        options.output,
      ),
    )

  waybill
    .command('trace')
    .usage('[options] [dir] <id>')
    .description('Everything that happened to a document.')
    .argument('<dir>', 'the configuration folder; . where it is left out')
    .argument('<id>', 'an envelope id or a delivery id')
    .addOption(format())
    .addHelpText('before', examples('trace 0192…', 'trace conf 0192….0', 'trace conf 0192… -o json'))
    .action((dir: string, id: string, options) =>
      act(async (output) => (await import('./commands/trace.ts')).trace(dir, id, output), options.output),
    )

  waybill
    .command('lanes')
    .description('Where order is kept: the first of each key that holds others back.')
    .argument('[dir]', 'the configuration folder', '.')
    .option('--destination <name>', 'to this JID, or xmpp:SERVICE?;node=NODE')
    .option('--route <name>', 'of this route')
    .option('--limit <n>', 'at most so many (100 where it is left out)', positive)
    .addOption(format())
    .addHelpText('before', examples('lanes', 'lanes conf --destination erp@backend.example.org', 'lanes conf -o json'))
    .action((dir: string, options) =>
      act(async (output) => (await import('./commands/lanes.ts')).lanes(dir, options, output), options.output),
    )

  waybill
    .command('ledger')
    .description('What became of everything that was accepted; balances at all times.')
    .argument('[dir]', 'the configuration folder', '.')
    .addOption(format())
    .addHelpText('before', examples('ledger', 'ledger conf', 'ledger conf -o json'))
    .action((dir: string, options) =>
      act(async (output) => (await import('./commands/ledger.ts')).ledger(dir, output), options.output),
    )

  waybill
    .command('doctor')
    .description('Whether servers, secrets, rights, durability and clocks are as they must be.')
    .argument('[dir]', 'the configuration folder', '.')
    .addOption(format())
    .addHelpText('before', examples('doctor', 'doctor conf', 'doctor conf -o json'))
    .action((dir: string, options) =>
      act(async (output) => (await import('./commands/doctor.ts')).doctor(dir, output), options.output),
    )

  const schema = waybill
    .command('schema')
    .description('Schemas of document types.')
    .addHelpText('before', examples(SCHEMA_DIFF_EXAMPLES[0], 'schema register conf invoice-2.2', 'schema ls conf'))
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
    .addOption(format())
    .addHelpText('before', examples(...SCHEMA_DIFF_EXAMPLES))
    .action((old: string, next: string, options) =>
      act(
        async (output) => (await import('./commands/schema-diff.ts')).schemaDiff(old, next, options, output),
        options.output,
      ),
    )

  const onRegistry = (verb: SchemaVerb) => (dir: string, subject: string | undefined, options: { output: string }) =>
    act(
      async (output) =>
        (await import('./commands/schema.ts')).schema(
          dir,
          verb,
          subject,
          { ...options, by: userInfo().username },
          output,
        ),
      options.output,
    )
  schema
    .command('register')
    .description('Register a bundle as a version of its type: in force in every process at once.')
    .argument('<dir>', 'the configuration folder; . where it is left out')
    .argument('<bundle>', 'a folder with type.yaml and all files of the schema')
    .addOption(format())
    .addHelpText(
      'before',
      examples(
        'schema register invoice-2.2',
        'schema register conf invoice-2.2',
        'schema register conf invoice-2.2 -o json',
      ),
    )
    .action(onRegistry('register'))
  schema
    .command('ls')
    .description('The versions that are registered, in the order in which they were.')
    .argument('[dir]', 'the configuration folder', '.')
    .addOption(format())
    .addHelpText('before', examples('schema ls', 'schema ls conf', 'schema ls conf -o json'))
    .action((dir: string, options) => onRegistry('ls')(dir, undefined, options))
  schema
    .command('show')
    .description('One registered version, and the files of its bundle.')
    .argument('<dir>', 'the configuration folder; . where it is left out')
    .argument('<version>', 'NAME@VERSION')
    .addOption(format())
    .addHelpText(
      'before',
      examples('schema show invoice@2.2', 'schema show conf invoice@2.2', 'schema show conf invoice@2.2 -o json'),
    )
    .action(onRegistry('show'))
  schema
    .command('deprecate')
    .description('Accept a registered version with a notice to its senders from now on.')
    .argument('<dir>', 'the configuration folder; . where it is left out')
    .argument('<version>', 'NAME@VERSION')
    .option('--text <notice>', 'what senders are told; left out, the version is deprecated no longer')
    .addOption(format())
    .addHelpText(
      'before',
      examples(
        'schema deprecate invoice@2.0 --text "please send 2.1"',
        'schema deprecate conf invoice@2.0 --text "until June"',
        'schema deprecate conf invoice@2.0',
      ),
    )
    .action(onRegistry('deprecate'))
  schema
    .command('remove')
    .description('Take a registered version no longer.')
    .argument('<dir>', 'the configuration folder; . where it is left out')
    .argument('<version>', 'NAME@VERSION')
    .addOption(format())
    .addHelpText(
      'before',
      examples('schema remove invoice@2.0', 'schema remove conf invoice@2.0', 'schema remove conf invoice@2.0 -o json'),
    )
    .action(onRegistry('remove'))

  return waybill
}

function examples(...lines: string[]): string {
  return `Examples:\n${lines.map((line) => `  waybill ${line}`).join('\n')}\n`
}

function positive(text: string): number {
  const number = Number(text)
  if (number > 0 && Number.isFinite(number)) return number
  throw new InvalidArgumentError('It must be a number larger than 0.')
}

function outputAs(format: string): Output {
  return {
    format: format === 'json' ? 'json' : 'table',
    print: (text) => void process.stdout.write(`${text}\n`),
    complain: (text) => void process.stderr.write(`${text}\n`),
  }
}

function gather(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

function withoutUndefined<T extends object>(of: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as never
}

/** DIR comes first everywhere; where it is left out it is the current folder. */
export function withFolder(words: readonly string[]): string[] {
  const [command = '', ...rest] = words
  if (command === 'schema' && SCHEMA_VERBS.has(rest[0] ?? '')) {
    const [verb, ...after] = rest
    return operands(after).length > 1 || isHelp(after) ? [...words] : [command, verb!, '.', ...after]
  }
  const after = OPERANDS_AFTER_DIR[command]
  if (after === undefined || isHelp(rest)) return [...words]
  const [first] = rest
  const verbs = VERBS_OF[command]
  const leftOut = verbs ? first !== undefined && verbs.has(first) : operands(rest).length <= after && !isFolder(first)
  return leftOut ? [command, '.', ...rest] : [...words]
}

function isHelp(words: readonly string[]): boolean {
  return words.includes('--help') || words.includes('-h')
}

// Operands stand before the first option here: what follows an option may be its value.
function operands(words: readonly string[]): readonly string[] {
  const option = words.findIndex((word) => word.startsWith('-'))
  return option < 0 ? words : words.slice(0, option)
}

function isFolder(name: string | undefined): boolean {
  return name !== undefined && (statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false)
}

/** Exit codes: 0 fine, 1 findings, 2 usage, 3 environment. */
async function main(words: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = 0
  try {
    await program((result) => {
      code = result
    }).parseAsync(withFolder(words), { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (!(error instanceof CommandFailed)) throw error
    process.stderr.write(`${error.message}\n`)
    return error.exitCode
  }
}

process.exitCode = await main(process.argv.slice(2))
