import { promisify } from 'node:util'
import { deflateRaw, inflateRaw } from 'node:zlib'
import type { Redis } from 'ioredis'
import type { Acceptance, Archive, ArchivedDocument, ArchiveFilter } from '../flow/ports.ts'
import { ask, type Call } from './calls.ts'
import { hasFields, isFrom } from './dead-letters.ts'
import type { Meta } from './records.ts'

/** What is kept of accepted documents, and for how long. */
export interface ArchiveOptions {
  readonly keepMs: number
  readonly count: number
  /** Of what is compressed, and what is known of it. */
  readonly bytes: number
  /** Names of document types; empty: all. */
  readonly types: readonly string[]
}

const deflate = promisify(deflateRaw)
const inflate = promisify(inflateRaw)

/** How many documents a script looks at before others have their turn. */
const PART = 500
const LIMIT = 1_000
/** Fast rather than small: it is done to every document. */
const LEVEL = 1

/** The compressed payload of a document that goes into the archive, or ''. What is held isn't archived: nobody has found it valid. */
export async function archivedPayload(
  { envelope, holding }: Acceptance,
  options: ArchiveOptions | undefined,
): Promise<Buffer | ''> {
  if (!options || holding || envelope.again) return ''
  if (options.types.length > 0 && !options.types.includes(envelope.type)) return ''
  const { payload } = envelope.document
  return deflate(typeof payload === 'string' ? Buffer.from(payload) : payload, { level: LEVEL })
}

/** Looking into the archive, and clearing it. */
export function createArchive(
  call: Call,
  client: Redis,
  prefix: string,
): Archive & { forget(options: ArchiveOptions): Promise<number> } {
  async function* find(filter: ArchiveFilter): AsyncGenerator<ArchivedDocument> {
    const { sinceMs = '-inf', untilMs = '+inf' } = filter
    let before = new Set<string>()
    for (let offset = 0; ; offset += PART) {
      const rows = (await call('archived', [offset, PART, sinceMs, untilMs], { repeatable: true })) as unknown[][]
      const documents = rows.map(parseArchived)
      for (const one of documents) if (!before.has(one.id) && fits(one, filter)) yield one
      if (rows.length < PART) return
      // What is accepted meanwhile moves the end of this part into the next one.
      before = new Set(documents.map(({ id }) => id))
    }
  }

  return {
    async archived(filter) {
      const { limit = LIMIT } = filter
      const documents: ArchivedDocument[] = []
      for await (const one of find(filter)) {
        if (documents.length >= limit) break
        documents.push(one)
      }
      return documents
    },

    async archivedDocument(id) {
      const [meta, payload] = await ask('archive', client, () => {
        return client.hmgetBuffer(`${prefix}archive:${id}`, 'meta', 'payload')
      })
      if (!meta || !payload) return undefined
      return { ...parseArchived([id, meta]), payload: await inflate(payload) }
    },

    async forget({ keepMs, count, bytes }) {
      let removed = 0
      for (let last = PART; last === PART; removed += last) {
        last = (await call('forget', [keepMs, count, bytes, PART], { repeatable: true })) as number
      }
      return removed
    },
  }
}

function parseArchived([id, meta]: readonly unknown[]): ArchivedDocument {
  return { id: String(id), ...(JSON.parse(String(meta)) as Meta) }
}

function fits({ type, origin, fields, marked }: ArchivedDocument, filter: ArchiveFilter): boolean {
  if (filter.type !== undefined && filter.type !== type) return false
  if (filter.valid && marked) return false
  return isFrom(origin.from, filter.from) && hasFields(fields, filter.fields)
}
