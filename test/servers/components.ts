import { randomBytes } from 'node:crypto'

export interface ComponentEntry {
  readonly domain: string
  readonly port: number
  readonly secret: string
}

/** Whether Waybill is to attach as it: `waybill`, `waybill2` and so on share a secret, and a port. */
export function isOurs(name: string): boolean {
  return name.startsWith('waybill')
}

/** A new secret for each of the components. */
export function newSecrets(names: readonly string[]): Readonly<Record<string, string>> {
  const ours = randomBytes(12).toString('hex')
  const secretOf = (name: string) => (isOurs(name) ? ours : randomBytes(12).toString('hex'))
  return Object.fromEntries(names.map((name) => [name, secretOf(name)]))
}

/** Throws where the server has no such component. */
export function entryOf(
  name: string,
  secrets: Readonly<Record<string, string>>,
  port: number | undefined,
): ComponentEntry {
  const secret = secrets[name]
  if (secret === undefined || port === undefined)
    throw new Error(`Cannot attach as ${name}: the server has ${Object.keys(secrets).join()}`)
  return { domain: domainOf(name), port, secret }
}

export function domainOf(name: string): string {
  return `${name}.example.test`
}
