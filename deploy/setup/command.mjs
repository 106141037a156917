import { spawn } from 'node:child_process'

const SHOWN_LINES = 40

/**
 * Runs a command to its end and keeps quiet unless it fails: then the error holds what it wrote, shortened in the middle.
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
      const failure = new Error(`${[command, ...args].join(' ')} ended with ${signal ?? code}:\n${headAndTail(output)}`)
      reject(Object.assign(failure, { code }))
    })
  })
}

// Some programs say first what is wrong, others last.
function headAndTail(output) {
  const lines = output.trimEnd().split('\n')
  const left = lines.length - 2 * SHOWN_LINES
  if (left <= 0) return lines.join('\n')
  return [...lines.slice(0, SHOWN_LINES), `(${left} lines left out)`, ...lines.slice(-SHOWN_LINES)].join('\n')
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
