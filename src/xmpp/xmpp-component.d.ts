/** What we use of @xmpp/component 0.13, which ships no types. */
declare module '@xmpp/component' {
  export interface LtxElement {
    parent: LtxElement | null
    readonly name: string
    readonly attrs: Readonly<Record<string, string>>
  }

  /** Listened to: `start`, `element`, `end` and `error` of a parser; `connect`, `data`, `error` and `close` of a socket. */
  interface Emitter {
    on(event: string, listener: (value: unknown) => void): unknown
    removeListener(event: string, listener: (value: unknown) => void): unknown
  }

  export interface ComponentSocket extends Emitter {
    connect(parameters: { host: string; port: number }): void
    write(text: string, written?: (error?: Error | null) => void): void
    end(): void
  }

  export interface Component {
    /** Milliseconds that each step of opening may take; then its promise is rejected, and nothing else happens. */
    timeout: number
    Parser: new () => Emitter
    Socket: new () => ComponentSocket
    readonly reconnect: { stop(): void }
    connect(service: string): Promise<unknown>
    /** Writes the stream header; the handshake follows by itself. */
    open(options: { domain: string }): Promise<unknown>
    on(event: 'online', listener: () => void): unknown
    on(event: 'error', listener: (error: Error) => void): unknown
    emit(event: 'error', error: Error): boolean
  }

  export function component(options: { service: string; domain: string; password: string }): Component
  export function xml(name: string, attributes?: Readonly<Record<string, string>>): LtxElement
}
