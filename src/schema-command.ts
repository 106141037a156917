import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BundleUnfit, layOutBundle } from './config/bundle.ts'
import type { SchemaApi, SchemaCommandResult } from './http/schemas.ts'

/** The command line of the same build. */
const CLI = fileURLToPath(new URL(`./cli${extname(import.meta.url)}`, import.meta.url))
const LONGEST_MS = 120_000

/** Runs `waybill schema` on the folder in a process of its own, so that nothing that it compiles or compares holds up documents. */
export function createSchemaCommands(folder: string, environment: NodeJS.ProcessEnv): SchemaApi['run'] {
  return async (verb, words, files) => {
    if (!files) return runCommand([verb, folder, ...words], environment)
    const bundle = await mkdtemp(join(tmpdir(), 'waybill-bundle-'))
    try {
      await layOutBundle(files, bundle)
      return await runCommand([verb, folder, bundle, ...words], environment)
    } catch (error) {
      if (!(error instanceof BundleUnfit)) throw error
      return { code: 2, stdout: '', stderr: error.message }
    } finally {
      await rm(bundle, { recursive: true, force: true })
    }
  }
}

function runCommand(words: readonly string[], environment: NodeJS.ProcessEnv): Promise<SchemaCommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, 'schema', ...words, '-o', 'json'], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LONGEST_MS,
      killSignal: 'SIGKILL',
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk) => (stdout += chunk))
    child.stderr.on('data', (chunk) => (stderr += chunk))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}
