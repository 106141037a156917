/**
 * The program of a checking thread: documents in, verdicts out, one after the other. It has its own libxml2 and its own schemas, compiled
 * from the files that the main thread compiled.
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { Content } from '../../domain/document.ts'
import { typeKey } from '../../domain/document-type.ts'
import type { Element } from '../../domain/element.ts'
import type { CheckAnswer, CheckTask } from '../../flow/ports.ts'
import { fromKept } from '../bundle-reader.ts'
import { contentAgain, createValidator } from '../documents.ts'
import { threadName } from '../thread-cpu.ts'
import type { ThreadData, ThreadMessage } from './task.ts'

const { types, limits, files, first } = workerData as ThreadData
// What could be told at a glance was told where the element tree is; here it would have to be made first.
const validator = createValidator(limits, fromKept(files), false)
const typesByKey = new Map(types.map((type) => [typeKey(type), type]))

function tell(message: ThreadMessage): void {
  parentPort?.postMessage(message)
}

async function check(task: CheckTask): Promise<CheckAnswer> {
  const type = typesByKey.get(task.type)
  if (!type) return { kind: 'failed', reason: `Cannot validate: there is no type ${task.type}` }
  if (!validator.isReady(type)) {
    tell({ kind: 'compiling' })
    await validator.compile(type)
    tell({ kind: 'compiled' })
  }
  const { form, mediaType, datatype, payload, bytes } = task
  try {
    const content = lazyContent(task)
    const document = { form, mediaType, datatype, payload, bytes, content, rootName: '', digest: '' }
    return { kind: 'checked', checked: validator.check(document, type) }
  } catch (error) {
    if (error instanceof Unreadable) return { kind: 'unreadable' }
    throw error
  }
}

class Unreadable extends Error {}

/** Schemas in XML ask for the element tree of invalid documents only. */
function lazyContent({ form, mediaType, payload, content }: CheckTask): Content {
  const make = () => {
    try {
      return contentAgain(form, mediaType, payload)
    } catch (error) {
      throw new Unreadable((error as Error).message)
    }
  }
  return content === 'xml' ? new LazyXml(make) : make()
}

/** A class, since the engine keeps every object with a getter of its own, and what hangs on it, until it looks through all memory. */
class LazyXml {
  readonly kind = 'xml'
  readonly #make: () => Content
  #root: Element | undefined

  constructor(make: () => Content) {
    this.#make = make
  }

  get root(): Element {
    this.#root ??= rootOf(this.#make())
    return this.#root
  }
}

function rootOf(content: Content): Element {
  if (content.kind !== 'xml') throw new Unreadable(`it is ${content.kind}`)
  return content.root
}

for (const key of first) {
  const type = typesByKey.get(key)
  if (type) await validator.compile(type)
}
parentPort?.on('message', (task: CheckTask) => {
  check(task).then(tell, (error: Error) => tell({ kind: 'failed', reason: error.message }))
})
tell({ kind: 'ready', thread: threadName() })
