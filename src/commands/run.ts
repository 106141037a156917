import { createLog, logLevelOf } from '../log.ts'
import { type RunningWaybill, type Surroundings, start } from '../main.ts'
import { StartFailed } from '../start-failed.ts'
import type { ExitCode, Output } from './output.ts'

/** Runs until SIGTERM or SIGINT. One line on stdout when it is up; logs are JSON lines on stderr. */
export async function run(folder: string, output: Output): Promise<ExitCode> {
  const log = createLog((line) => process.stderr.write(line), logLevelOf(process.env.WAYBILL_LOG_LEVEL))
  const cancel = new AbortController()
  const asked = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve)
  })
  void asked.then(() => cancel.abort())
  let running: RunningWaybill | undefined
  let loaded!: NonNullable<Surroundings['loaded']>
  const reload = new Promise<() => Promise<void>>((resolve) => {
    loaded = resolve
  })
  // From the beginning: a SIGHUP that nobody listens to ends the process. One that comes while the folder is first loaded has it loaded again.
  process.on('SIGHUP', () => {
    const failed = (error: Error) => log('error', 'reload-failed', { reason: error.message })
    void reload.then((again) => again()).catch(failed)
  })
  process.on('unhandledRejection', (reason) => log('error', 'unhandled-rejection', { reason: String(reason) }))
  try {
    running = await start(folder, {
      environment: process.env,
      log,
      complain: output.complain,
      cancelled: cancel.signal,
      loaded,
    })
    output.print(`ready ${JSON.stringify({ domain: running.domains[0], http: running.http, pid: process.pid })}`)
    log('info', 'stopping', { signal: await asked })
    await running.stop()
    return 0
  } catch (error) {
    if (cancel.signal.aborted && !running) return 0
    if (!(error instanceof StartFailed)) throw error
    output.complain(error.message)
    return error.exitCode
  } finally {
    leaveSoon()
  }
}

/** How long what is left to write to stdout and stderr may take. */
const LINGER_MS = 1_000

/**
 * Everything is closed by then. A worker of BullMQ that lost its Redis while it had a job waits for it for ever, and renews a timer meanwhile,
 * which would keep the process until somebody kills it.
 */
function leaveSoon(): void {
  setTimeout(() => process.exit(), LINGER_MS).unref()
}
