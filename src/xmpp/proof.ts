import type { Connection } from './connection.ts'
import { PING } from './namespaces.ts'

export type Proof = 'handed-over' | 'lost' | 'timeout'

interface Batch {
  readonly stream: number
  readonly proven: Promise<Proof>
  readonly settle: (proof: Proof) => void
}

/**
 * The hand-over proof (docs/operations.md, guarantee 5): a server handles a stream in order, so that its answer to a ping, of whatever kind,
 * proves that it has had everything written before. One ping at most is under way; what is written meanwhile is covered
 * by the next, so that pings grow rarer per stanza with the load.
 *
 * @returns `prove`: to be called right after a write; settles for all that was written to this stream so far.
 */
export function createProof(
  connection: Pick<Connection, 'stream' | 'request'>,
  host: string,
  timeoutMs: number,
): () => Promise<Proof> {
  let next: Batch | undefined
  let isPinging = false

  function prove(): Promise<Proof> {
    const { stream } = connection
    if (next && next.stream !== stream) {
      next.settle('lost')
      next = undefined
    }
    if (!next) {
      next = createBatch(stream)
      // What is written in this turn shares the ping that follows it.
      if (!isPinging) setImmediate(ping)
    }
    return next.proven
  }

  async function ping(): Promise<void> {
    if (!next || isPinging) return
    isPinging = true
    const batch = next
    next = undefined
    batch.settle(await ask(batch))
    isPinging = false
    if (next) void ping()
  }

  async function ask({ stream }: Batch): Promise<Proof> {
    if (connection.stream !== stream) return 'lost'
    const payload = `<ping xmlns="${PING}"/>`
    try {
      const answer = await connection.request({ to: host, type: 'get', payload, timeoutMs })
      return answer.kind === 'result' || answer.kind === 'error' ? 'handed-over' : answer.kind
    } catch {
      return 'lost'
    }
  }

  return prove
}

function createBatch(stream: number): Batch {
  let settle!: (proof: Proof) => void
  const proven = new Promise<Proof>((resolve) => {
    settle = resolve
  })
  return { stream, proven, settle }
}
