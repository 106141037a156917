/**
 * The processes that the demo starts. They are in groups of their own, so that Ctrl-C reaches the demo alone, which ends
 * them in order. Should it be killed itself, a small shell process notices (its input closes) and ends them.
 */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'

const WATCH = `
trap '' INT TERM HUP
held=' '
while read -r verb pid; do
  case $verb in
    hold) held="$held$pid " ;;
    free) held=$(printf %s "$held" | sed "s/ $pid / /") ;;
  esac
done
for pid in $held; do kill -TERM "$pid" 2>/dev/null; done
case $held in *[0-9]*) sleep 5 ;; esac
for pid in $held; do kill -KILL "$pid" 2>/dev/null; done
`

let watcher

function watch(line) {
  if (!watcher) {
    watcher = spawn('/bin/sh', ['-c', WATCH], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, cwd: '/' })
    watcher.stdin.on('error', () => {})
    watcher.stdin.unref()
    watcher.unref()
  }
  watcher.stdin.write(`${line}\n`)
}

/**
 * @typedef {object} Process
 * @property {string} name
 * @property {Promise<number | string>} ended exit code or signal
 * @property {() => string} output everything that it wrote since this start
 * @property {() => Promise<void>} stop asks with SIGTERM, and kills after ten seconds
 */

/**
 * @param {{ name: string, command: string, args: readonly string[], log: string, cwd?: string, env?: Record<string, string> }} launch
 * @returns {Process}
 */
export function launch({ name, command, args, log, cwd, env = {} }) {
  const file = openSync(log, 'w', 0o600)
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', file, file],
    detached: true,
  })
  closeSync(file)
  let isRunning = true
  const ended = new Promise((resolve) => {
    const end = (how) => {
      isRunning = false
      if (child.pid) watch(`free ${child.pid}`)
      resolve(how)
    }
    child.once('error', (error) => end(error.message))
    child.once('exit', (code, signal) => end(signal ?? code))
  })
  if (child.pid) watch(`hold ${child.pid}`)
  return {
    name,
    ended,
    output: () => readFileSync(log, 'utf8'),
    async stop() {
      if (!isRunning) return
      child.kill('SIGTERM')
      const impatience = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await ended
      clearTimeout(impatience)
    },
  }
}

/**
 * Waits until what the process wrote fits, and gives the match. Undefined where it fits `portTaken` first.
 *
 * @param {Process} started
 * @param {{ ready: RegExp, portTaken?: RegExp, timeoutMs?: number }} signs
 */
export async function whenReady(started, { ready, portTaken, timeoutMs = 90_000 }) {
  let how
  started.ended.then((end) => {
    how = end
  })
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const hasEnded = how !== undefined
    const output = started.output()
    if (portTaken?.test(output)) {
      await started.stop()
      return undefined
    }
    const match = ready.exec(output)
    if (match) return match
    if (hasEnded || performance.now() > deadline) {
      await started.stop()
      const why = hasEnded ? `it ended (${how})` : `it wasn't ready after ${timeoutMs / 1000} s`
      throw new Error(
        `Cannot start ${started.name}: ${why}. Its last lines:\n${output.trimEnd().split('\n').slice(-20).join('\n')}`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
