import { eventually } from '../eventually.ts'
import { openComponentStream } from './component-stream.ts'
import type { ComponentEntry } from './components.ts'

/** A component (XEP-0114) made of a socket and text: text in, text out, with nothing of src/ in it. */
export interface RawComponent {
  readonly domain: string
  send(xml: string): void
  /** Whole stanzas as text, as they came, in order. */
  readonly received: readonly string[]
  close(): void
  /** The first stanza since the last call of `next` that matches, or one that comes within `timeoutMs` (10 seconds). */
  next(match: (stanza: string) => boolean, timeoutMs?: number): Promise<string>
}

export async function connectRawComponent({ port, domain, secret }: ComponentEntry): Promise<RawComponent> {
  const received: string[] = []
  const taken = new Set<number>()
  const onStanza = (stanza: string) => void received.push(stanza)
  const stream = await openComponentStream({ port, domain, secret }, { onStanza, onEnd: () => {} })
  const next = (match: (stanza: string) => boolean, timeoutMs = 30_000) =>
    eventually(
      () => {
        const index = received.findIndex((stanza, at) => !taken.has(at) && match(stanza))
        if (index < 0) return undefined
        taken.add(index)
        return received[index]
      },
      { timeoutMs, what: `a stanza for ${domain}; received so far:\n${received.join('\n')}` },
    )
  return { domain, received, next, send: stream.send, close: stream.close }
}
