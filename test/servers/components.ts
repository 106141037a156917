import { randomBytes } from 'node:crypto'

export interface ComponentEntry {
  readonly domain: string
  readonly port: number
  readonly secret: string
}

/** A new secret for each of the components; Waybill's own, `waybill` and `waybill2` and so on, share theirs. */
export function newSecrets(names: readonly string[]): Readonly<Record<string, string>> {
  const ours = randomBytes(12).toString('hex')
  const secretOf = (name: string) => (name.startsWith('waybill') ? ours : randomBytes(12).toString('hex'))
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
