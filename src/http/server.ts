import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Log } from '../flow/ports.ts'
import type { MetricsText } from './metrics.ts'
import { answerSchemas, SCHEMAS_PATH, type SchemaApi } from './schemas.ts'

/** One part of the process, ready or not and why not. */
export interface Readiness {
  readonly part: string
  readonly ready: boolean
  readonly reason: string
  /** False: it is told, and the process counts as ready without it. */
  readonly vital?: boolean
}

export interface HttpOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly registry: MetricsText
  readonly readiness: () => Promise<readonly Readiness[]>
  /** Undefined where there is no token. */
  readonly schemas?: SchemaApi
  readonly log: Log
}

export interface RunningHttp {
  /** `http://host:port`, with the port that was really taken. */
  readonly url: string
  close(): Promise<void>
}

/**
 * Health and metrics, for everybody (docs/operations.md, guarantee 9): `/healthz`, `/readyz`, `/metrics`; and for who has the token, the
 * registry of schemas: `/api/schemas`. Throws where the address can't be had.
 */
export async function startHttp(options: HttpOptions): Promise<RunningHttp> {
  const server = createServer((request, response) => {
    answer(request, response, options).catch((error: Error) => {
      options.log('error', 'http-failed', { url: request.url, reason: error.message })
      send(response, 500, 'text/plain', 'internal error\n')
    })
  })
  server.headersTimeout = 5_000
  server.requestTimeout = 10_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new Error(`Cannot listen for HTTP on ${options.host}:${options.port}: ${error.message}`)),
    )
    server.listen(options.port, options.host, resolve)
  })
  const { address, port, family } = server.address() as AddressInfo
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, options: HttpOptions): Promise<void> {
  // Not by URL, which throws for some paths.
  const path = request.url?.split('?', 1)[0] ?? ''
  if (path === SCHEMAS_PATH || path.startsWith(`${SCHEMAS_PATH}/`)) {
    const { status, body, headers = {} } = await answerSchemas(request, path, options.schemas)
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    return send(response, status, 'application/json', `${JSON.stringify(body)}\n`)
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    // RFC 9110 15.5.6.
    response.setHeader('allow', 'GET, HEAD')
    return send(response, 405, 'text/plain', 'method not allowed\n')
  }
  switch (path) {
    case '/healthz':
      return send(response, 200, 'text/plain', 'ok\n')
    case '/readyz': {
      const parts = await options.readiness()
      return send(
        response,
        parts.every(({ ready, vital = true }) => ready || !vital) ? 200 : 503,
        'application/json',
        `${JSON.stringify({ parts })}\n`,
      )
    }
    case '/metrics':
      return send(response, 200, options.registry.contentType, await options.registry.metrics())
    default:
      return send(response, 404, 'text/plain', 'not found\n')
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}
