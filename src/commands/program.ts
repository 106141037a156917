import { Command, CommanderError } from 'commander'
import { StoreUnavailable } from '../flow/ports.ts'
import { VERSION } from '../version.ts'
import { type Act, examples, outputAs, type Streams } from './command-line.ts'
import { addConfigurationCommands } from './configuration-commands.ts'
import { addDocumentCommands } from './document-commands.ts'
import { withFolder } from './folder-operand.ts'
import { CommandFailed, type ExitCode, visible } from './output.ts'
import { addSchemaCommands } from './schema-commands.ts'

/** Does what the words say, as the command line is typed. Exit codes: 0 fine, 1 findings, 2 usage, 3 environment. */
export async function runCommand(words: readonly string[], streams: Streams): Promise<ExitCode> {
  let code: ExitCode = 0
  try {
    const finish = (result: ExitCode) => {
      code = result
    }
    const waybill = program(streams, finish)
    await waybill.parseAsync(withFolder(untilUnknown(waybill, words)), { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    const exitCode = exitCodeOf(error)
    if (exitCode === undefined) throw error
    streams.err(`${visible((error as Error).message)}\n`)
    return exitCode
  }
}

/** Undefined: it is a fault of ours. Redis may go away in the midst of a command too. */
function exitCodeOf(error: unknown): ExitCode | undefined {
  if (error instanceof CommandFailed) return error.exitCode
  return error instanceof StoreUnavailable ? 3 : undefined
}

/** A command that there isn't has no help to give: what is behind it is left out, so that it is told as unknown. */
function untilUnknown(command: Command, words: readonly string[]): readonly string[] {
  const [first, ...rest] = words
  if (first === undefined || first.startsWith('-') || first === 'help' || command.commands.length === 0) return words
  const known = command.commands.find((one) => one.name() === first)
  return known ? [first, ...untilUnknown(known, rest)] : [first]
}

function program(streams: Streams, finish: (code: ExitCode) => void): Command {
  const waybill = new Command('waybill')
    .version(VERSION)
    .description('Routes XML and JSON documents over XMPP.')
    .addHelpText('before', examples('check conf', 'explain conf order.xml --from shop@example.org', 'run conf'))
    .exitOverride()
    .configureOutput({ writeOut: streams.out, writeErr: streams.err })
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${command.usage()}` })
  const act: Act = (work, format) => work(outputAs(format, streams)).then(finish)
  addConfigurationCommands(waybill, act)
  addDocumentCommands(waybill, act)
  addSchemaCommands(waybill, act)
  return waybill
}
