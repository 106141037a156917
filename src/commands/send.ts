import { createHash } from 'node:crypto'
import { toElementText } from '../documents/documents.ts'
import { escapeAttribute, escapeText } from '../domain/serialise.ts'
import { type SendAnswer, sendAsClient } from '../xmpp/client.ts'
import { assembled } from './assembled.ts'
import { formatFinding } from './finding-line.ts'
import { CommandFailed, type ExitCode, type Output, printJson } from './output.ts'
import { mediaTypeOf, readDocument } from './subject.ts'

export interface SendOptions {
  readonly from: string
  readonly service: string | undefined
  /** Name of the environment variable that holds the password. */
  readonly passwordEnv: string
  readonly sealed: boolean
  /** Undefined: by the file's ending. */
  readonly mediaType?: string
  /** Undefined: the configured domain. */
  readonly to: string | undefined
  readonly timeoutMs: number
}

/** Sends a document as a real client and prints the acknowledgement, or the findings. 1 where it was rejected. */
export async function send(folder: string, file: string, options: SendOptions, output: Output): Promise<ExitCode> {
  const password = process.env[options.passwordEnv]
  if (!password)
    throw new CommandFailed(2, `Cannot sign in: the environment variable ${options.passwordEnv} is not set`)
  const assembly = await assembled(folder, output)
  assembly.documents.dispose()
  const to = options.to ?? assembly.configuration.settings.xmpp.domain
  const payload = carry(await readDocument(file), options.mediaType ?? mediaTypeOf(file), options.sealed, file)
  const { service, from, timeoutMs } = options
  const answer = await sendAsClient({ service, from, password, timeoutMs }, to, payload).catch((error: Error) => {
    throw new CommandFailed(3, error.message)
  })
  if (output.format === 'json') printJson(output, answer)
  else output.print(describe(answer))
  return answer.kind === 'accepted' ? 0 : 1
}

/** The one element that carries the document: itself, a JSON container (XEP-0335), or sealed (XEP-0231). */
function carry(bytes: Uint8Array, mediaType: string, sealed: boolean, file: string): string {
  const xml = /[/+]xml$/.test(mediaType)
  const json = /[/+]json$/.test(mediaType)
  if (sealed || (!xml && !json)) {
    const cid = `sha256+${createHash('sha256').update(bytes).digest('hex')}@bob.xmpp.org`
    const base64 = Buffer.from(bytes).toString('base64')
    return `<data xmlns="urn:xmpp:bob" type="${escapeAttribute(mediaType)}" cid="${cid}">${base64}</data>`
  }
  if (json) return `<json xmlns="urn:xmpp:json:0">${escapeText(new TextDecoder().decode(bytes))}</json>`
  const text = toElementText(bytes)
  if (text === undefined)
    throw new CommandFailed(
      2,
      `Cannot send ${file} as an element: it is not well-formed XML. --sealed sends it byte for byte`,
    )
  return text
}

function describe(answer: SendAnswer): string {
  if (answer.kind === 'accepted') {
    const { id, type, duplicate, state } = answer
    return `accepted  ${id}\ntype      ${type}${duplicate ? '\nduplicate of a document that was accepted before' : ''}${state === 'held' ? '\nheld' : ''}`
  }
  const { reason, condition, type, text, findings, findingsTotal } = answer
  const lines = [
    `rejected  ${reason || condition} (${type})`,
    ...(text === '' ? [] : [`          ${text}`]),
    ...findings.map((finding) => `  ${formatFinding(finding)}`),
  ]
  if (findingsTotal > findings.length) lines.push(`  … ${findingsTotal - findings.length} more`)
  return lines.join('\n')
}
