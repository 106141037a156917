const LOOPBACK = /^(?:localhost|::1|127(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3})$/i

/** Whether what is sent to that host stays on this machine. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host)
}
