import { LEASE_LOST } from './socket.ts'
import type { StreamEnd } from './stream.ts'

/**
 * Ends of a stream that have their own reason, whatever was written to it: the server stops or moves, somebody else has our
 * address, the network is gone (RFC 6120 4.9.3, codes of the system). A close without a word is none of them: servers break off over a
 * bad stanza without saying so.
 */
const EXPLAINED: ReadonlySet<string> = new Set([
  'system-shutdown',
  'reset',
  'conflict',
  'see-other-host',
  'host-gone',
  'host-unknown',
  'not-authorized',
  'connection-timeout',
  LEASE_LOST,
  'certificate',
  'ETIMEDOUT',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENETRESET',
])

/** The stream may have ended over something that we wrote. */
export function isUnexplained({ reason }: StreamEnd): boolean {
  return !EXPLAINED.has(reason)
}
