import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { type Configuration, type LoadedConfiguration, loadConfiguration } from '../../src/config/configuration.ts'

export type Files = Readonly<Record<string, string | Uint8Array>>
export type Environment = Readonly<Record<string, string | undefined>>

/** Writes a configuration folder, hands its name over, and removes it. */
export async function withFolder<Result>(files: Files, use: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-config-'))
  try {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), content)
    }
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export function load(files: Files, environment: Environment = {}): Promise<LoadedConfiguration> {
  return withFolder(files, (folder) => loadConfiguration(folder, environment))
}

/** Loads a folder that must have no problem at all. */
export async function loadSound(files: Files, environment: Environment = {}): Promise<Configuration> {
  const { configuration, problems } = await load(files, environment)
  expect(problems).toEqual([])
  return configuration!
}

/** The smallest installation without a problem. */
export const WAYBILL = `
xmpp: { domain: waybill.example.org, host: example.org, secret: s3cr3t-0 }
senders: ["*@example.org"]
`

/** A document type without a problem. */
export const ORDER = `
kind: DocumentType
name: order
identify: { xml: { root: "{urn:example:order}order" } }
namespaces: { o: "urn:example:order" }
schema: none
fields:
  currency: { xpath: /o:order/o:currency }
  total: { xpath: /o:order/o:total, as: number }
`

/** Its one mark says where a problem is expected. */
export function takeMark(text: string): { readonly text: string; readonly line: number; readonly column: number } {
  const at = text.indexOf('»')
  if (at < 0 || text.indexOf('»', at + 1) >= 0) throw new Error(`Cannot find the one mark in ${text}`)
  const before = text.slice(0, at).split('\n')
  return { text: text.replace('»', ''), line: before.length, column: before.at(-1)!.length + 1 }
}
