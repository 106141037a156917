import { randomUUID } from 'node:crypto'
import { type Client, client, type LtxElement } from '@xmpp/client'
import { parseJid } from '../domain/jid.ts'
import type { Finding } from '../domain/rejection.ts'
import { escapeAttribute } from '../domain/serialise.ts'

export interface ClientOptions {
  /** `xmpp://host[:port]`, or `xmpps://` for direct TLS; the account's own domain is found by DNS where undefined. */
  readonly service: string | undefined
  /** The account; a resource is chosen where it has none. */
  readonly from: string
  readonly password: string
  readonly timeoutMs: number
}

/** How a document that was sent in an iq was answered. */
export type SendAnswer =
  | {
      readonly kind: 'accepted'
      readonly id: string
      readonly type: string
      readonly duplicate: boolean
      readonly state: string
    }
  | {
      readonly kind: 'refused'
      readonly condition: string
      readonly type: string
      readonly text: string
      /** '' where the error came from a server on the way. */
      readonly reason: string
      readonly findings: readonly Finding[]
      readonly findingsTotal: number
    }

const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const WAYBILL = 'urn:waybill:0'
const SIGN_OUT_MS = 2_000

/**
 * Signs in as a client does, sends one iq with the payload (text of one element) and signs out. Throws where there is no
 * connection, no sign-in or no answer in time; whether the document was accepted is then unknown.
 */
export async function sendAsClient(options: ClientOptions, to: string, payload: string): Promise<SendAnswer> {
  const session = await signIn(options)
  try {
    const id = randomUUID()
    const answered = session.next(
      (stanza) => stanza.name === 'iq' && stanza.attrs.id === id && stanza.attrs.from === to,
    )
    await session.write(`<iq type="set" id="${id}" to="${escapeAttribute(to)}">${payload}</iq>`)
    return readAnswer(await answered)
  } finally {
    await session.close()
  }
}

interface Session {
  next(matches: (stanza: LtxElement) => boolean): Promise<LtxElement>
  write(text: string): Promise<void>
  close(): Promise<void>
}

async function signIn({ service, from, password, timeoutMs }: ClientOptions): Promise<Session> {
  const jid = parseJid(from)
  if (!jid || jid.local === '') throw new Error(`Cannot sign in: ${from} is not the JID of an account`)
  const xmpp = client({
    service: service ?? jid.domain,
    domain: jid.domain,
    username: jid.local,
    password,
    ...(jid.resource === '' ? {} : { resource: jid.resource }),
  })
  xmpp.reconnect.stop()
  // By itself it waits 2 seconds for each step of the sign-in, whatever the whole of it may take.
  xmpp.timeout = timeoutMs
  const failed = new Promise<never>((_, reject) => xmpp.on('error', reject))
  failed.catch(() => {})
  const where = service ?? jid.domain
  const settled = <T>(promise: Promise<T>, action: string) =>
    within(Promise.race([promise, failed]), timeoutMs, `${action} (${where})`)
  try {
    await settled(xmpp.start(), `Cannot sign in as ${from}`)
  } catch (error) {
    void signOut(xmpp).catch(() => {})
    throw error
  }
  return {
    next: (matches) =>
      settled(
        new Promise<LtxElement>((resolve) => xmpp.on('stanza', (stanza) => matches(stanza) && resolve(stanza))),
        'Cannot tell whether the document was accepted',
      ),
    write: (text) => settled(xmpp.write(text), 'Cannot send'),
    close: async () => void (await within(signOut(xmpp), SIGN_OUT_MS, 'Cannot sign out').catch(() => {})),
  }
}

function signOut(xmpp: Client): Promise<unknown> {
  xmpp.timeout = SIGN_OUT_MS
  return xmpp.stop()
}

async function within<T>(promise: Promise<T>, timeoutMs: number, action: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([promise, late])
  } catch (error) {
    throw new Error(`${action}: ${(error as Error).message || String(error)}`)
  } finally {
    clearTimeout(timer)
  }
}

function readAnswer(stanza: LtxElement): SendAnswer {
  const accepted = stanza.getChild('accepted', WAYBILL)
  if (stanza.attrs.type === 'result' && accepted) {
    const { id = '', type = '', duplicate, state = 'accepted' } = accepted.attrs
    return { kind: 'accepted', id, type, duplicate: duplicate === 'true', state }
  }
  const error = stanza.getChild('error')
  const condition = error?.getChildElements().find((child) => child.attrs.xmlns === STANZAS && child.name !== 'text')
  const rejection = error?.getChild('rejection', WAYBILL)
  return {
    kind: 'refused',
    condition: condition?.name ?? 'undefined-condition',
    type: error?.attrs.type ?? '',
    text: error?.getChild('text', STANZAS)?.text() ?? '',
    reason: rejection?.attrs.reason ?? '',
    findings: rejection?.getChildren('finding').map(readFinding) ?? [],
    findingsTotal: Number(rejection?.attrs.findings ?? 0),
  }
}

function readFinding(finding: LtxElement): Finding {
  const { layer = '', rule = '', severity, path = '', line, column, value, test, flag, see } = finding.attrs
  return {
    layer,
    rule,
    severity: severity === 'warning' || severity === 'information' ? severity : 'error',
    path,
    message: finding.text(),
    ...(line === undefined ? {} : { line: Number(line) }),
    ...(column === undefined ? {} : { column: Number(column) }),
    ...(value === undefined ? {} : { value }),
    ...(test === undefined ? {} : { test }),
    ...(flag === undefined ? {} : { flag }),
    ...(see === undefined ? {} : { see }),
  }
}
