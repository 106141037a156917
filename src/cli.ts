#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { type Act, examples, outputAs } from './commands/command-line.ts'
import { addConfigurationCommands } from './commands/configuration-commands.ts'
import { addDocumentCommands } from './commands/document-commands.ts'
import { withFolder } from './commands/folder-operand.ts'
import { CommandFailed, type ExitCode } from './commands/output.ts'
import { addSchemaCommands } from './commands/schema-commands.ts'
import { VERSION } from './version.ts'

function program(finish: (code: ExitCode) => void): Command {
  const waybill = new Command('waybill')
    .version(VERSION)
    .description('Routes XML and JSON documents over XMPP.')
    .addHelpText('before', examples('check conf', 'explain conf order.xml --from shop@example.org', 'run conf'))
    .exitOverride()
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${command.usage()}` })
  const act: Act = (work, format) => work(outputAs(format)).then(finish)
  addConfigurationCommands(waybill, act)
  addDocumentCommands(waybill, act)
  addSchemaCommands(waybill, act)
  return waybill
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
