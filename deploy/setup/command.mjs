import { spawn } from 'node:child_process'

const TAIL_LINES = 40

/**
 * Runs a command to its end and keeps quiet unless it fails: then the error holds the last lines that it wrote.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, stdin?: 'inherit' | 'ignore' }} [options]
 * @returns {Promise<string>} what it wrote to standard output and error
 */
export function runQuietly(command, args, { cwd, env = process.env, stdin = 'ignore' } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: [stdin, 'pipe', 'pipe'] })
    let output = ''
    const keep = (chunk) => {
      output += chunk
    }
    child.stdout.setEncoding('utf8').on('data', keep)
    child.stderr.setEncoding('utf8').on('data', keep)
    child.once('error', (error) => reject(new Error(`Cannot run ${command}: ${error.message}`)))
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(output)
      const tail = output.trimEnd().split('\n').slice(-TAIL_LINES).join('\n')
      const failure = new Error(`${[command, ...args].join(' ')} ended with ${signal ?? code}:\n${tail}`)
      reject(Object.assign(failure, { code }))
    })
  })
}

/** A failure that is told in its own words, without a stack. */
export class SetUpFailed extends Error {
  name = 'SetUpFailed'
}

/**
 * The last word of a script that can't go on.
 *
 * @param {unknown} error
 * @param {number} [exitCode] 3: the environment is at fault
 */
export function failWith(error, exitCode = 3) {
  const text = error instanceof SetUpFailed ? error.message : (error?.stack ?? String(error))
  process.stderr.write(`${text}\n`)
  process.exit(exitCode)
}
