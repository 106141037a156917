import { attribute } from '../scenarios/waybill.ts'
import { type ComponentStream, openComponentStream } from '../servers/component-stream.ts'
import type { ComponentEntry } from '../servers/components.ts'

/** A component that comes back as soon as it can, for as long as it is open. */
export interface Component {
  readonly domain: string
  /** False where it is offline: nothing was sent. */
  send(xml: string): boolean
  /** Asks by iq; undefined where no answer comes within the time, or there is no connection. */
  ask(
    to: string,
    type: 'get' | 'set',
    payload: string,
    options?: { from?: string; timeoutMs?: number },
  ): Promise<string | undefined>
  close(): void
}

const COME_BACK_MS = 100
let asked = 0

export async function openComponent(entry: ComponentEntry, onStanza: (stanza: string) => void): Promise<Component> {
  const { domain } = entry
  const waiting = new Map<string, (answer: string | undefined) => void>()
  let stream: ComponentStream | undefined
  let isClosed = false

  function take(stanza: string): void {
    const id = stanza.startsWith('<iq') ? attribute(stanza, 'id') : undefined
    const answer = id === undefined ? undefined : waiting.get(id)
    if (answer === undefined) onStanza(stanza)
    else answer(stanza)
  }

  async function connect(): Promise<void> {
    while (!isClosed && stream === undefined) {
      stream = await openComponentStream(entry, { onStanza: take, onEnd: comeBack }).catch(() => undefined)
      if (stream === undefined) await new Promise((resolve) => setTimeout(resolve, COME_BACK_MS))
    }
    if (isClosed) stream?.close()
  }

  function comeBack(): void {
    stream = undefined
    for (const [id, answer] of waiting) {
      waiting.delete(id)
      answer(undefined)
    }
    void connect()
  }

  await connect()
  const send = (xml: string) => {
    stream?.send(xml)
    return stream !== undefined
  }
  return {
    domain,
    send,
    ask(to, type, payload, { from = domain, timeoutMs = 3_000 } = {}) {
      const id = `ask-${asked++}`
      return new Promise((resolve) => {
        const timer = setTimeout(() => answer(undefined), timeoutMs)
        const answer = (stanza: string | undefined) => {
          clearTimeout(timer)
          waiting.delete(id)
          resolve(stanza)
        }
        waiting.set(id, answer)
        if (!send(`<iq type='${type}' id='${id}' from='${from}' to='${to}'>${payload}</iq>`)) answer(undefined)
      })
    },
    close() {
      isClosed = true
      stream?.close()
    },
  }
}
