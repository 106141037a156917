import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { keepReading } from '../../../src/documents/bundle-reader.ts'
import { type CheckersNeeds, createCheckers, type ThreadedCheckers } from '../../../src/documents/checking/checkers.ts'
import type { CheckedSet } from '../../../src/documents/checking/task.ts'
import { type CompiledDocuments, compileDocuments } from '../../../src/documents/documents.ts'
import type { DocumentType } from '../../../src/domain/document-type.ts'
import type { CheckedApart, CheckPlace } from '../../../src/flow/ports.ts'
import { afterwards } from '../../afterwards.ts'

/** A thread runs what was built. */
export const WORKER = new URL('../../../dist/documents/checking/worker.js', import.meta.url)

const LIMITS = { documentBytes: 2_000_000, depth: 64, attributes: 256 }

export interface Given {
  readonly documents: CompiledDocuments
  readonly set: CheckedSet
  readonly checkers: ThreadedCheckers
  readonly places: CheckPlace[]
  readonly events: string[]
}

export async function given(types: readonly DocumentType[], changes: Partial<CheckersNeeds> = {}): Promise<Given> {
  const bundle = keepReading()
  const { documents, problems } = await compileDocuments(types, LIMITS, bundle)
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'))
  const places: CheckPlace[] = []
  const events: string[] = []
  const set = { types, limits: LIMITS, files: bundle.kept }
  const checkers = createCheckers({
    set,
    program: WORKER,
    threads: 1,
    documents,
    metrics: { checked: (where) => void places.push(where) },
    log: (_level, event) => void events.push(event),
    ...changes,
  })
  afterwards(() => {
    checkers.close()
    documents.dispose()
  })
  return { documents, set, checkers, places, events }
}

/** A thread's program of the test's own, which gets documents as `task` and answers with `tell`. */
export function programOf(body: string): URL {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-thread-'))
  afterwards(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'worker.mjs')
  const frame = `import { parentPort } from 'node:worker_threads'
const tell = (message) => parentPort.postMessage(message)
const valid = { kind: 'checked', checked: { findings: [], failedAs: undefined } }
parentPort.on('message', (task) => { ${body} })
tell({ kind: 'ready', thread: undefined })`
  writeFileSync(file, frame)
  return pathToFileURL(file)
}

export async function rulesFound(apart: Promise<CheckedApart> | undefined): Promise<readonly string[] | string> {
  const checked = await apart
  if (!checked) return 'here'
  if (checked.kind === 'rejected') return checked.rejection.kind
  return checked.validation.findings.map(({ rule }) => rule)
}
