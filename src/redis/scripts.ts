import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'

export type ScriptName =
  | 'accept'
  | 'announce'
  | 'archived'
  | 'bounce'
  | 'cleared'
  | 'close'
  | 'dead'
  | 'depth'
  | 'drop'
  | 'due'
  | 'end'
  | 'expand'
  | 'expire'
  | 'figures'
  | 'forget'
  | 'held'
  | 'lanes'
  | 'lapse'
  | 'lease'
  | 'open'
  | 'openings'
  | 'owed'
  | 'park'
  | 'pass'
  | 'plan'
  | 'probe'
  | 'prolong'
  | 'prune'
  | 'reclaim'
  | 'redrive'
  | 'refuse'
  | 'register'
  | 'release'
  | 'replan'
  | 'reported'
  | 'start'
  | 'trace'
  | 'write'

export type Argument = string | number | Buffer

interface Script {
  readonly text: string
  readonly sha: string
}

const loaded = new Map<ScriptName, Script>()

// What all scripts share goes behind the first line, which has to stay the first: it tells Redis the script's flags.
function load(name: ScriptName): Script {
  const known = loaded.get(name)
  if (known) return known
  const shared = read('transition')
  const own = read(name)
  const firstLineEnd = own.indexOf('\n') + 1
  const text = own.slice(0, firstLineEnd) + shared + own.slice(firstLineEnd)
  const script = { text, sha: createHash('sha1').update(text).digest('hex') }
  loaded.set(name, script)
  return script
}

function read(name: string): string {
  return readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8')
}

/** Runs a script by its digest; Redis is given the text where it has forgotten it (a restart, SCRIPT FLUSH). Replies hold Buffers. */
export async function evaluate(
  client: Redis,
  name: ScriptName,
  prefix: string,
  args: readonly Argument[],
): Promise<unknown> {
  const { sha, text } = load(name)
  // While a Cluster moves a slot, only those keys can be used that are there; a second one that never is has the script refused whole.
  const rest = [2, `${prefix}ledger`, `${prefix}nothing`, prefix, ...args]
  try {
    return await client.callBuffer('EVALSHA', [sha, ...rest])
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
    return client.callBuffer('EVAL', [text, ...rest])
  }
}
