import type { Command } from 'commander'
import { type Act, examples, formatOption, mediaTypeOption, positive } from './command-line.ts'

/** The commands that read a configuration folder: run it, check it, ask it. */
export function addConfigurationCommands(waybill: Command, act: Act): void {
  addRun(waybill, act)
  addCheck(waybill, act)
  addTest(waybill, act)
  addExplain(waybill, act)
  addTypes(waybill, act)
  addDiff(waybill, act)
  addDoctor(waybill, act)
}

function addRun(waybill: Command, act: Act): void {
  waybill
    .command('run')
    .description('Run Waybill on a configuration folder.')
    .argument('[dir]', 'the configuration folder', '.')
    .addHelpText('before', examples('run', 'run /etc/waybill', 'run conf 2>waybill.log'))
    .action((dir: string) => act(async (output) => (await import('./run.ts')).run(dir, output), 'table'))
}

function addCheck(waybill: Command, act: Act): void {
  waybill
    .command('check')
    .description(
      'The problems of all files at once, as file:line:column. Where the keys or values of one thing are wrong, what it refers to is looked at when they are mended.',
    )
    .argument('[dir]', 'the configuration folder', '.')
    .option('--strict', 'exit with 1 for warnings too', false)
    .addOption(formatOption())
    .addHelpText('before', examples('check', 'check conf --strict', 'check conf -o json'))
    .action((dir: string, options) =>
      act(async (output) => (await import('./check.ts')).check(dir, options.strict, output), options.output),
    )
}

function addTest(waybill: Command, act: Act): void {
  waybill
    .command('test')
    .description('The tests that stand in the route files, without servers, and what they leave untested.')
    .argument('[dir]', 'the configuration folder', '.')
    .option('--junit <file>', "a report in JUnit's XML as well, for CI")
    .addOption(formatOption())
    .addHelpText('before', examples('test', 'test conf --junit report.xml', 'test conf -o json'))
    .action((dir: string, options) =>
      act(async (output) => (await import('./test.ts')).test(dir, options.junit, output), options.output),
    )
}

function addExplain(waybill: Command, act: Act): void {
  waybill
    .command('explain')
    .usage('[options] [dir] <doc>')
    .description('What would happen to a document, and why; with no effect.')
    .argument('<dir>', 'the configuration folder; . where it is left out')
    .argument('<doc>', 'the document: a file')
    .requiredOption('--from <jid>', 'who sends it')
    .addOption(mediaTypeOption())
    .addOption(formatOption())
    .addHelpText(
      'before',
      examples(
        'explain order.xml --from shop@example.org',
        'explain conf order.xml --from shop@example.org',
        'explain conf t.json --from s1@example.org -o json',
      ),
    )
    .action((dir: string, doc: string, options) =>
      act(async (output) => (await import('./explain.ts')).explain(dir, doc, options, output), options.output),
    )
}

function addTypes(waybill: Command, act: Act): void {
  const types = waybill
    .command('types')
    .description('Document types: what senders may send, and by which schema.')
    .addHelpText('before', examples('types ls', 'types ls conf', 'types show conf invoice@2.1'))
  types
    .command('ls')
    .description('All of them, from the folder and registered.')
    .argument('[dir]', 'the configuration folder', '.')
    .addOption(formatOption())
    .addHelpText('before', examples('types ls', 'types ls conf', 'types ls conf -o json'))
    .action((dir: string, options) =>
      act(async (output) => (await import('./types.ts')).typesList(dir, output), options.output),
    )
  types
    .command('show')
    .usage('[options] [dir] <type>')
    .description('One of them: how it is recognised, its layers and files, fields, senders and sample.')
    .argument('<dir>', 'the configuration folder; . where it is left out')
    .argument('<type>', 'NAME@VERSION; NAME is its newest version')
    .addOption(formatOption())
    .addHelpText(
      'before',
      examples('types show invoice', 'types show conf invoice@2.1', 'types show conf invoice -o json'),
    )
    .action((dir: string, type: string, options) =>
      act(async (output) => (await import('./types.ts')).typesShow(dir, type, output), options.output),
    )
}

function addDiff(waybill: Command, act: Act): void {
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
    .addOption(formatOption())
    .addHelpText(
      'before',
      examples(
        'diff conf conf.new --documents samples --from shop@example.org',
        'diff /etc/waybill . --documents archive',
        'diff conf conf.new --documents archive -o json',
      ),
    )
    .action((old: string, next: string, options) =>
      act(async (output) => (await import('./diff.ts')).diff(old, next, options, output), options.output),
    )
}

function addDoctor(waybill: Command, act: Act): void {
  waybill
    .command('doctor')
    .description('Whether servers, secrets, rights, durability and clocks are as they must be.')
    .argument('[dir]', 'the configuration folder', '.')
    .addOption(formatOption())
    .addHelpText('before', examples('doctor', 'doctor conf', 'doctor conf -o json'))
    .action((dir: string, options) =>
      act(async (output) => (await import('./doctor.ts')).doctor(dir, output), options.output),
    )
}
