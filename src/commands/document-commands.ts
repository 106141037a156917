import { userInfo } from 'node:os'
import { Argument, type Command } from 'commander'
import type { ArchiveOptions, ArchiveVerb } from './archive.ts'
import {
  type Act,
  examples,
  formatOption,
  gather,
  mediaTypeOption,
  positive,
  withoutUndefined,
} from './command-line.ts'
import type { DeadVerb } from './dead.ts'
import type { DeadOptions } from './dead-changes.ts'
import { ARCHIVE_VERBS, DEAD_VERBS, HELD_VERBS } from './folder-operand.ts'
import type { HeldVerb } from './held.ts'
import type { HeldOptions } from './held-changes.ts'

/** The commands that send documents and see to those that were accepted; they work on Redis, also while Waybill is down. */
export function addDocumentCommands(waybill: Command, act: Act): void {
  addSend(waybill, act)
  addDead(waybill, act)
  addHeld(waybill, act)
  addArchive(waybill, act)
  addTrace(waybill, act)
  addLanes(waybill, act)
  addLedger(waybill, act)
  addTop(waybill, act)
}

function addSend(waybill: Command, act: Act): void {
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
    .addOption(mediaTypeOption())
    .option('--to <jid>', 'to another address than the configured domain')
    .option('--timeout <seconds>', 'how long to wait for the answer', positive, 20)
    .addOption(formatOption())
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
          (await import('./send.ts')).send(dir, doc, { ...options, timeoutMs: options.timeout * 1000 }, output),
        options.output,
      ),
    )
}

function addDead(waybill: Command, act: Act): void {
  waybill
    .command('dead')
    .usage('[options] [dir] <verb> [id]')
    .description('Dead letters: list, group by cause, show, redrive, drop; and what waits: drop, park.')
    .argument('<dir>', 'the configuration folder; . where it is left out')
    .addArgument(new Argument('<verb>', 'what to do').choices([...DEAD_VERBS]))
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
    .addOption(formatOption())
    .addHelpText(
      'before',
      examples('dead groups', 'dead conf show 0192…', 'dead conf redrive --all --group 5f0c2a91b3d4 --yes'),
    )
    .action((dir: string, verb: DeadVerb, id: string | undefined, options) =>
      act(
        async (output) =>
          (await import('./dead.ts')).dead(
            dir,
            verb,
            id,
            { ...withoutUndefined(options as DeadOptions), by: userInfo().username },
            output,
          ),
        options.output,
      ),
    )
}

function addHeld(waybill: Command, act: Act): void {
  waybill
    .command('held')
    .usage('[options] [dir] <verb> [id]')
    .description('Documents that are held because they are invalid: list, show, release, refuse.')
    .argument('<dir>', 'the configuration folder; . where it is left out')
    .addArgument(new Argument('<verb>', 'what to do').choices([...HELD_VERBS]))
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
    .addOption(formatOption())
    .addHelpText(
      'before',
      examples('held ls --type invoice', 'held conf show 0192…', 'held conf release 0192… --reason "agreed by phone"'),
    )
    .action((dir: string, verb: HeldVerb, id: string | undefined, options) =>
      act(
        async (output) =>
          (await import('./held.ts')).held(
            dir,
            verb,
            id,
            { ...withoutUndefined(options as HeldOptions), by: userInfo().username },
            output,
          ),
        options.output,
      ),
    )
}

function addArchive(waybill: Command, act: Act): void {
  waybill
    .command('archive')
    .usage('[options] [dir] <verb> [id]')
    .description('Accepted documents that are kept: list, show, send again.')
    .argument('<dir>', 'the configuration folder; . where it is left out')
    .addArgument(new Argument('<verb>', 'what to do').choices([...ARCHIVE_VERBS]))
    .argument('[id]', 'an envelope id')
    .option('--type <name>', 'of this document type')
    .option('--from <jid>', 'of this sender')
    .option('--field <name=value>', 'a field of the document; may be given several times', gather)
    .option('--since <time>', 'received since: 2026-11-21, "2026-11-21 03:35:45" (UTC), or 2h for two hours ago')
    .option('--until <time>', 'received before, likewise')
    .option('--limit <n>', 'at most so many (ls: 100 where it is left out)', positive)
    .option('--reason <text>', 'redrive: why, kept with the record')
    .option('--dry-run', 'say what would be done, and do nothing', false)
    .addOption(formatOption())
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
          (await import('./archive.ts')).archive(
            dir,
            verb,
            id,
            { ...withoutUndefined(options as ArchiveOptions), by: userInfo().username },
            output,
          ),
        options.output,
      ),
    )
}

function addTrace(waybill: Command, act: Act): void {
  waybill
    .command('trace')
    .usage('[options] [dir] <id>')
    .description('Everything that happened to a document.')
    .argument('<dir>', 'the configuration folder; . where it is left out')
    .argument('<id>', 'an envelope id or a delivery id')
    .addOption(formatOption())
    .addHelpText('before', examples('trace 0192…', 'trace conf 0192….0', 'trace conf 0192… -o json'))
    .action((dir: string, id: string, options) =>
      act(async (output) => (await import('./trace.ts')).trace(dir, id, output), options.output),
    )
}

function addLanes(waybill: Command, act: Act): void {
  waybill
    .command('lanes')
    .description('Where order is kept: the first of each key that holds others back.')
    .argument('[dir]', 'the configuration folder', '.')
    .option('--destination <name>', 'to this JID, or xmpp:SERVICE?;node=NODE')
    .option('--route <name>', 'of this route')
    .option('--limit <n>', 'at most so many (100 where it is left out)', positive)
    .addOption(formatOption())
    .addHelpText('before', examples('lanes', 'lanes conf --destination erp@backend.example.org', 'lanes conf -o json'))
    .action((dir: string, options) =>
      act(async (output) => (await import('./lanes.ts')).lanes(dir, options, output), options.output),
    )
}

function addTop(waybill: Command, act: Act): void {
  waybill
    .command('top')
    .description('What all processes do, live: rates, latencies, what waits. q quits.')
    .argument('[dir]', 'the configuration folder', '.')
    .option('--once', 'one look, then the end; so it is without a terminal')
    .addOption(formatOption())
    .addHelpText('before', examples('top', 'top conf --once', 'top conf -o json'))
    .action((dir: string, options) =>
      act(async (output) => (await import('./top.ts')).top(dir, options, output), options.output),
    )
}

function addLedger(waybill: Command, act: Act): void {
  waybill
    .command('ledger')
    .description('What became of everything that was accepted; balances at all times.')
    .argument('[dir]', 'the configuration folder', '.')
    .option('--limit <n>', 'at most so many types, and so many routes (100 where it is left out)', positive)
    .addOption(formatOption())
    .addHelpText('before', examples('ledger', 'ledger conf --limit 1000', 'ledger conf -o json'))
    .action((dir: string, options) =>
      act(async (output) => (await import('./ledger.ts')).ledger(dir, options, output), options.output),
    )
}
