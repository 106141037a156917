import type { ComponentEntry } from './components.ts'
import { startEjabberd } from './ejabberd.ts'
import { startJabberd2 } from './jabberd2.ts'
import type { Restartable } from './processes.ts'
import { startProsody } from './prosody.ts'

/** What every server has; further ones are named by `components`. */
export type ComponentName = 'waybill' | 'peer' | 'other' | (string & {})

/** Everything works on the first two; jabberd2 has neither PubSub nor, here, clients, and isn't everywhere. */
export type XmppServerKind = 'prosody' | 'ejabberd' | 'jabberd2'

/** The servers behind one interface. */
export interface RunningXmppServer extends Restartable {
  readonly kind: XmppServerKind
  readonly domain: 'example.test'
  /** `pubsub.example.test`; waybill.example.test may create nodes there. */
  readonly pubsub: string
  /** Clients sign in here, without TLS, with SCRAM or PLAIN. */
  readonly clientPort: number
  /** waybill.example.test, peer.example.test, other.example.test and those of `components`, each with a secret of its own. */
  component(name: ComponentName): ComponentEntry
  /** Gives the bare JID. */
  addUser(local: string, password: string): Promise<string>
  /** Ends it and removes its folder. */
  stop(): Promise<void>
  /** Ends the process only; data and ports stay. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Again, same ports, same data. */
  start(): Promise<void>
}

export interface XmppServerOptions {
  /** A PEM file with key and certificate: Waybill's own entry, and no other, is direct TLS then. ejabberd only. */
  readonly tlsCertificate?: string
  /** The largest stanza that the server takes from Waybill, on Prosody from any component. A larger one makes it close the stream. */
  readonly stanzaBytes?: number
  /** Further components, by the first label of their domains: `NAME.example.test`. They may create nodes, as Waybill may. */
  readonly components?: readonly string[]
  /** With the settings that the files of `deploy/` advise, and leave to whoever runs the server, since they are for all of it. */
  readonly asAdvised?: boolean
}

/** Starts a server for `example.test` on loopback with free ports and a folder of its own. Takes 1 to 3 seconds. */
export function startXmppServer(kind: XmppServerKind, options: XmppServerOptions = {}): Promise<RunningXmppServer> {
  if (kind === 'jabberd2') return startJabberd2()
  if (kind === 'ejabberd') return startEjabberd(options)
  if (options.tlsCertificate !== undefined) throw new Error('Cannot start Prosody: its components speak no TLS')
  return startProsody(options)
}
