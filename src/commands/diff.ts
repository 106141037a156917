import { readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { Assembly } from '../assemble.ts'
import { destinationName, type PlannedDelivery } from '../domain/delivery.ts'
import { normaliseJid } from '../domain/jid.ts'
import { ARCHIVE, archivedDocuments, LAST } from './archived.ts'
import { assembled } from './assembled.ts'
import { cannot } from './cannot.ts'
import { CommandFailed, counted, type ExitCode, formatTable, type Output, printJson, type Row } from './output.ts'
import { settingsOf } from './settings-of.ts'
import { type Examined, examine, examineAgain, readDocument } from './subject.ts'

export interface DiffOptions {
  /** A folder of documents; those in a folder that is named by a JID come from it. Or `archive`: what the old one has accepted. */
  readonly documents: string
  /** Who sends the others. */
  readonly from?: string
  /** How many of the archive's newest. */
  readonly last?: number
}

/** What becomes otherwise with one document. */
export interface DocumentChange {
  readonly document: string
  readonly from: string
  /**
   * `moved`: a route sends it to another destination than before. `changed`: it goes where it went, by another route or with
   * other options. `verdict`: it is taken in, refused or without route where it wasn't.
   */
  readonly change: 'added' | 'removed' | 'moved' | 'changed' | 'verdict'
  readonly destination: string
  /** The route that owns the delivery; of what is removed, the one that did. */
  readonly route: string
  /** What it was before: a destination, a route and options, a verdict; '' for what is added or removed. */
  readonly was: string
}

/**
 * Which deliveries another configuration adds, removes and moves, on real documents; with no effect. 1 where there is a
 * difference.
 */
export async function diff(before: string, after: string, options: DiffOptions, output: Output): Promise<ExitCode> {
  const documents = await givenDocuments(before, options, output)
  const [old, next] = [await assembled(before, output), await assembled(after, output)]
  const changes: DocumentChange[] = []
  for (const { name, from, open } of documents) {
    const by = await open()
    const examined = [old, next].map((assembly) => outcomeOf(by(assembly)))
    changes.push(...compare(name, from, examined[0]!, examined[1]!))
  }
  for (const assembly of [old, next] as readonly Assembly[]) assembly.documents.dispose()
  print(documents.length, changes, output)
  return changes.length === 0 ? 0 : 1
}

interface Given {
  /** Relative to the folder, or an envelope id. */
  readonly name: string
  readonly from: string
  /** Reads it; what that gives says what a configuration makes of it. */
  readonly open: () => Promise<(assembly: Assembly) => Examined>
}

async function givenDocuments(before: string, options: DiffOptions, output: Output): Promise<readonly Given[]> {
  if (options.documents !== ARCHIVE) return documentsIn(options)
  if (options.from !== undefined)
    throw new CommandFailed(2, 'Cannot compare: --from is for a folder; what was accepted has its sender')
  const settings = await settingsOf(before, output)
  const documents = await archivedDocuments(settings, { last: options.last ?? LAST })
  return documents.map((kept) => {
    return { name: kept.id, from: kept.origin.from, open: async () => (assembly) => examineAgain(kept, assembly) }
  })
}

async function documentsIn({ documents: folder, from, last }: DiffOptions): Promise<readonly Given[]> {
  if (last !== undefined) throw new CommandFailed(2, 'Cannot compare: --last is for --documents archive')
  const byDefault = from === undefined ? undefined : normaliseJid(from)
  if (from !== undefined && byDefault === undefined) throw new CommandFailed(2, `Cannot compare: ${from} is not a JID`)
  const files = await filesBelow(folder)
  if (files.length === 0) throw new CommandFailed(2, `Cannot compare: there are no documents in ${folder}`)
  return files.map((file) => {
    const name = relative(folder, file)
    const sender = senderNamed(name) ?? byDefault
    if (sender !== undefined) return { name, from: sender, open: () => opened(file, sender) }
    throw new CommandFailed(
      2,
      `Cannot compare: nobody is said to send ${name}; give --from, or put it into a folder named by its JID`,
    )
  })
}

async function opened(file: string, from: string): Promise<(assembly: Assembly) => Examined> {
  const bytes = await readDocument(file)
  return (assembly) => examine(bytes, file, from, assembly)
}

/** A first folder with an `@` in its name that is a JID. */
function senderNamed(name: string): string | undefined {
  const [first = '', ...below] = name.split(sep)
  return below.length > 0 && first.includes('@') ? normaliseJid(first) : undefined
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(cannot('read', folder))
  const files: string[] = []
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) files.push(...(await filesBelow(path)))
    else files.push(path)
  }
  return files
}

interface Outcome {
  /** `accepted`, `no-route`, `held`, or `rejected: ` and the reason. */
  readonly verdict: string
  /** By destination. */
  readonly deliveries: ReadonlyMap<string, PlannedDelivery>
}

function outcomeOf({ rejection, isHeld, explanation }: Examined): Outcome {
  if (isHeld) return { verdict: 'held', deliveries: new Map() }
  if (!explanation) return { verdict: `rejected: ${rejection!.kind}`, deliveries: new Map() }
  const { deliveries, impossible } = explanation.decision
  const named = deliveries.map((delivery) => [destinationName(delivery.destination), delivery] as const)
  const verdict = deliveries.length + impossible.length > 0 ? 'accepted' : 'no-route'
  return { verdict, deliveries: new Map(named) }
}

function compare(document: string, from: string, before: Outcome, after: Outcome): readonly DocumentChange[] {
  const change = (kind: DocumentChange['change'], destination: string, route: string, was = ''): DocumentChange => {
    return { document, from, change: kind, destination, route, was }
  }
  const verdict = before.verdict === after.verdict ? [] : [change('verdict', after.verdict, '', before.verdict)]
  const gone = [...before.deliveries].filter(([name]) => !after.deliveries.has(name))
  const come = [...after.deliveries].filter(([name]) => !before.deliveries.has(name))
  const moved = come.flatMap(([name, { route }]) => {
    const at = gone.findIndex(([, other]) => other.route === route)
    const [old] = at < 0 ? [] : gone.splice(at, 1)
    return old ? [change('moved', name, route, old[0])] : []
  })
  const movedTo = new Set(moved.map(({ destination }) => destination))
  const added = come.filter(([name]) => !movedTo.has(name)).map(([name, { route }]) => change('added', name, route))
  const removed = gone.map(([name, { route }]) => change('removed', name, route))
  const changed = [...after.deliveries].flatMap(([name, delivery]) => {
    const was = differenceOf(before.deliveries.get(name), delivery)
    return was === undefined ? [] : [change('changed', name, delivery.route, was)]
  })
  return [...verdict, ...added, ...removed, ...moved, ...changed]
}

/** What was otherwise with a delivery to the same destination, in words. */
function differenceOf(before: PlannedDelivery | undefined, after: PlannedDelivery): string | undefined {
  if (!before) return undefined
  const flat = ({ options, destination: _destination, ...rest }: PlannedDelivery) =>
    new Map(Object.entries({ ...options, ...rest }).map(([key, value]) => [key, JSON.stringify(value)]))
  const [old, now] = [flat(before), flat(after)]
  const keys = [...new Set([...old.keys(), ...now.keys()])].filter((key) => old.get(key) !== now.get(key))
  if (keys.length === 0) return undefined
  return keys.map((key) => `${key} ${old.get(key)?.replace(/^"(.*)"$/s, '$1') ?? 'none'}`).join(', ')
}

function print(documents: number, changes: readonly DocumentChange[], output: Output): void {
  const kinds = ['added', 'removed', 'moved', 'changed', 'verdict'] as const
  const counts = kinds.map((kind) => [kind, changes.filter(({ change }) => change === kind).length] as const)
  const otherwise = new Set(changes.map(({ document }) => document)).size
  if (output.format === 'json') {
    printJson(output, { documents, otherwise, counts: Object.fromEntries(counts), changes })
    return
  }
  const rows = changes.map(({ change, document, from, destination, route, was }): Row => {
    return { change, document, from, destination, route, was }
  })
  if (rows.length > 0) output.print(`${formatTable(rows)}\n`)
  const words = counts.filter(([, count]) => count > 0).map(([kind, count]) => `${count} ${kind}`)
  const what =
    words.length === 0 ? 'all go the same way' : `${words.join(', ')}; ${documents - otherwise} go the same way`
  output.print(`${counted(documents, 'document')}: ${what}`)
}
