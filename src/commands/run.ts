import { createLog, logLevelOf } from '../log.ts'
import { StartFailed, start } from '../main.ts'
import type { ExitCode, Output } from './output.ts'

/** Runs until SIGTERM or SIGINT. One line on stdout when it is up; logs are JSON lines on stderr. */
export async function run(folder: string, output: Output): Promise<ExitCode> {
  const log = createLog((line) => process.stderr.write(line), logLevelOf(process.env.WAYBILL_LOG_LEVEL))
  const asked = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve)
  })
  process.on('unhandledRejection', (reason) => log('error', 'unhandled-rejection', { reason: String(reason) }))
  try {
    const starting = start(folder, { environment: process.env, log, complain: output.complain })
    const first = await Promise.race([starting, asked])
    if (typeof first === 'string') return 0
    process.on('SIGHUP', () => void first.reload())
    output.print(`ready ${JSON.stringify({ domain: first.domain, http: first.http, pid: process.pid })}`)
    log('info', 'stopping', { signal: await asked })
    await first.stop()
    return 0
  } catch (error) {
    if (!(error instanceof StartFailed)) throw error
    output.complain(error.message)
    return error.exitCode
  }
}
