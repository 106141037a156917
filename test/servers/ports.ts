import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

const LOWEST = 20_000
const handedOut = new Set<number>()

/**
 * Ports on 127.0.0.1 that nobody listens on at this moment. They lie below the range from which the kernel takes the ports
 * of outgoing connections: otherwise a client that tries to reconnect to a stopped server can be given that very port
 * and connect to itself. Another process can still be faster: who starts a server tries again with other ports.
 */
export async function freePorts(count: number): Promise<number[]> {
  const found: number[] = []
  while (found.length < count) {
    const port = LOWEST + Math.floor(Math.random() * (lowestOutgoingPort() - LOWEST))
    if (handedOut.has(port) || !(await isFree(port))) continue
    handedOut.add(port)
    found.push(port)
  }
  return found
}

function lowestOutgoingPort(): number {
  try {
    const low = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/)[0])
    return low > LOWEST + 1_000 ? low : 32_768
  } catch {
    return 49_152
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
