#!/usr/bin/env node
import { runCommand } from './commands/program.ts'

/** As a shell tells of a tool that SIGPIPE ended, which Node.js ignores. */
const NOBODY_READS = 141

// `| head` closes the pipe when it has seen enough: nothing is wrong, and nothing more needs to be said.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(NOBODY_READS)
})

process.exitCode = await runCommand(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
})
