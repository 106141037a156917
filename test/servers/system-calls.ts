import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../eventually.ts'
import { findProgram, launch, removeFolder, serverFolder } from './processes.ts'

/** What processes ask of the kernel, as strace sees it: one list for all of them, in the order in which it happens. */
export interface SystemCalls {
  /** The lines so far, escaped as strace escapes; a call that another one comes between has two lines. */
  lines(): readonly string[]
  stop(): Promise<void>
}

/** The machine doesn't let one process trace another, or has no strace; the message says which. */
export class NotTraceable extends Error {
  override name = 'NotTraceable'
}

const CALLS = 'write,writev,pwrite64,sendto,sendmsg,fsync,fdatasync'

/** Follows all threads of running processes. Throws {@link NotTraceable}. */
export async function traceSystemCalls(pids: readonly number[]): Promise<SystemCalls> {
  const folder = serverFolder('strace')
  const file = join(folder, 'calls')
  const strace = launch({
    command: straceProgram(),
    // -y names the file or the socket behind each descriptor.
    arguments: [
      '-f',
      '-y',
      '-s',
      '65536',
      '-e',
      `trace=${CALLS}`,
      '-o',
      file,
      ...pids.flatMap((pid) => ['-p', `${pid}`]),
    ],
    folder,
  })
  await eventually(
    () => strace.hasEnded() || pids.every((pid) => strace.output().includes(`Process ${pid} attached`)),
    {
      timeoutMs: 60_000,
      what: 'strace to attach',
    },
  )
  if (strace.hasEnded()) {
    const reason = strace.output().trim()
    removeFolder(folder)
    throw new NotTraceable(reason)
  }
  return {
    lines: () => readFileSync(file, 'utf8').split('\n'),
    async stop() {
      await strace.kill('SIGINT')
      removeFolder(folder)
    },
  }
}

function straceProgram(): string {
  try {
    return findProgram('strace', 'strace')
  } catch (error) {
    throw new NotTraceable((error as Error).message)
  }
}
