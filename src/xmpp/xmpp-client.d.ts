/** What we use of @xmpp/client 0.14, which ships no types. */
declare module '@xmpp/client' {
  export interface LtxElement {
    readonly name: string
    readonly attrs: Readonly<Record<string, string | undefined>>
    readonly children: readonly (LtxElement | string)[]
    is(name: string, namespace?: string): boolean
    getChild(name: string, namespace?: string): LtxElement | undefined
    getChildren(name: string, namespace?: string): LtxElement[]
    getChildElements(): LtxElement[]
    text(): string
    toString(): string
  }

  export interface Client {
    on(event: 'stanza', listener: (stanza: LtxElement) => void): void
    on(event: 'error', listener: (error: Error) => void): void
    start(): Promise<{ toString(): string }>
    stop(): Promise<unknown>
    write(text: string): Promise<void>
    /** In milliseconds, for each single answer of the server to what belongs to the stream. */
    timeout: number
    readonly reconnect: { stop(): void }
  }

  export function client(options: {
    service: string
    domain: string
    username: string
    password: string
    resource?: string
  }): Client
}
