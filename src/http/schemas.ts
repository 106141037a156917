import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** What `waybill schema` said. */
export interface SchemaCommandResult {
  readonly code: number | null
  /** JSON, where the code is 0. */
  readonly stdout: string
  readonly stderr: string
}

/** Versions that are registered at run time, for administrators: the command line's own commands, over HTTP. */
export interface SchemaApi {
  readonly token: string
  /** Runs one of `waybill schema`, in a process of its own: compiling and comparing may take a minute. `files`: the bundle. */
  run(verb: SchemaVerb, words: readonly string[], files?: ReadonlyMap<string, Uint8Array>): Promise<SchemaCommandResult>
}

export type SchemaVerb = 'ls' | 'show' | 'register' | 'deprecate' | 'remove'

export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export const SCHEMAS_PATH = '/api/schemas'

const BODY_BYTES = 24 << 20
/** One after the other is enough: each has a process of its own. */
let running = false

/** docs/schemas.md, over HTTP. Whoever has no token learns nothing but that. */
export async function answerSchemas(
  request: IncomingMessage,
  path: string,
  api: SchemaApi | undefined,
): Promise<Answer> {
  if (!api) return { status: 404, body: { error: 'there is no http.token: this is not served' } }
  if (!isAllowed(request, api.token)) {
    // RFC 6750 3.
    return { status: 401, body: { error: 'a bearer token is needed' }, headers: { 'www-authenticate': 'Bearer' } }
  }
  if (running) return { status: 503, body: { error: 'another request is under way' }, headers: { 'retry-after': '5' } }
  running = true
  try {
    return await act(request, path.slice(SCHEMAS_PATH.length).replace(/^\//, ''), api)
  } finally {
    running = false
  }
}

function isAllowed({ headers }: IncomingMessage, token: string): boolean {
  const given = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? ''
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(token))
}

const VERSION = /^[a-z0-9][a-z0-9._-]{0,63}@[0-9A-Za-z][0-9A-Za-z._+-]{0,31}$/

async function act(request: IncomingMessage, rest: string, api: SchemaApi): Promise<Answer> {
  const { method = '' } = request
  if (rest === '') {
    if (method === 'GET') return answerOf(await api.run('ls', []))
    if (method === 'POST') return register(request, api)
    return notAllowed('GET, POST')
  }
  const [name, part, more] = rest.split('/')
  if (!VERSION.test(name!) || more !== undefined) return { status: 404, body: { error: 'not found' } }
  if (part === undefined) {
    if (method === 'GET') return answerOf(await api.run('show', [name!]))
    if (method === 'DELETE') return answerOf(await api.run('remove', [name!]))
    return notAllowed('GET, DELETE')
  }
  if (part !== 'deprecated') return { status: 404, body: { error: 'not found' } }
  if (method === 'DELETE') return answerOf(await api.run('deprecate', [name!]))
  if (method !== 'PUT') return notAllowed('PUT, DELETE')
  const text = (await readBody(request))?.toString().trim()
  return text ? answerOf(await api.run('deprecate', [name!, `--text=${text}`])) : bad('the body is the notice, as text')
}

/** `{"files": {"type.yaml": BASE64, …}}` */
async function register(request: IncomingMessage, api: SchemaApi): Promise<Answer> {
  const body = await readBody(request)
  if (!body) return { status: 413, body: { error: `a bundle has at most ${BODY_BYTES} bytes here` } }
  const files = filesIn(body.toString())
  return files ? answerOf(await api.run('register', [], files), 201) : bad('the body is {"files": {PATH: BASE64, …}}')
}

function filesIn(text: string): ReadonlyMap<string, Uint8Array> | undefined {
  try {
    const { files } = JSON.parse(text) as { readonly files?: unknown }
    if (typeof files !== 'object' || files === null) return undefined
    const entries = Object.entries(files)
    const decoded = entries.map(([path, content]) => [path, bytesOf(content)] as const)
    return entries.length > 0 && decoded.every(isThere) ? new Map(decoded) : undefined
  } catch {
    return undefined
  }
}

/** Of base64 (RFC 4648 4), with white space between; Node by itself passes over whatever is none. */
function bytesOf(content: unknown): Uint8Array | undefined {
  const text = typeof content === 'string' ? content.replace(/\s+/g, '') : undefined
  if (text === undefined || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  return Buffer.from(text, 'base64')
}

function isThere(entry: readonly [string, Uint8Array | undefined]): entry is readonly [string, Uint8Array] {
  return entry[1] !== undefined
}

/** Undefined where it is too large. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** As the exit codes say it: 1 findings, 2 usage, 3 environment. */
function answerOf({ code, stdout, stderr }: SchemaCommandResult, done = 200): Answer {
  if (code === 0) return { status: done, body: JSON.parse(stdout) }
  const problems = stderr.split('\n').filter((line) => line !== '')
  if (code === 1) return { status: 422, body: { problems } }
  if (code === 2) return { status: 400, body: { problems } }
  return { status: 503, body: { problems } }
}

function notAllowed(allow: string): Answer {
  // RFC 9110 15.5.6.
  return { status: 405, body: { error: 'method not allowed' }, headers: { allow } }
}

function bad(error: string): Answer {
  return { status: 400, body: { error } }
}
