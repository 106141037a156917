import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** What may be imported from where: domain ← matching ← flow ← outer rooms ← main, cli and the commands. */
const inner = ['../domain/x.ts', '../matching/x.ts', '../flow/x.ts']
const outer = ['../documents/x.ts', '../redis/x.ts', '../xmpp/x.ts', '../http/x.ts', '../config/x.ts']
const top = ['../main.ts', '../cli.ts', '../assemble.ts', '../settings.ts', '../log.ts', '../commands/x.ts']
const queue = ['bullmq', 'ioredis']
const stream = ['@xmpp/component', '@xmpp/client', '@xmpp/jid/lib/parse.js']
const packages = ['ajv', 'node:crypto', 'crypto']

const rooms: Readonly<Record<string, { readonly may: readonly string[]; readonly mayNot: readonly string[] }>> = {
  'domain/a.ts': { may: ['./x.ts'], mayNot: [...inner.slice(1), ...outer, ...top, ...queue, ...stream, ...packages] },
  'matching/a.ts': {
    may: ['./x.ts', '../domain/x.ts'],
    mayNot: ['../flow/x.ts', ...outer, ...top, ...queue, ...stream, ...packages],
  },
  'flow/a.ts': {
    may: ['./x.ts', '../domain/x.ts', '../matching/x.ts', 'node:crypto'],
    mayNot: [...outer, ...top, ...queue, ...stream, 'ajv'],
  },
  'documents/a.ts': {
    may: ['./x.ts', ...inner, 'ajv', 'node:crypto'],
    mayNot: [...outer.slice(1), ...top, ...queue, ...stream],
  },
  'documents/xsd/a.ts': {
    may: ['./x.ts', '../x.ts', ...inner.map((path) => `../${path}`), 'ajv', 'node:crypto'],
    mayNot: [...outer.slice(1), ...top].map((path) => `../${path}`).concat(queue, stream),
  },
  'redis/a.ts': { may: ['./x.ts', ...inner, ...queue], mayNot: [...without('redis'), ...top, ...stream] },
  'xmpp/a.ts': { may: ['./x.ts', ...inner, ...stream], mayNot: [...without('xmpp'), ...top, ...queue] },
  'http/a.ts': { may: ['./x.ts', ...inner, 'node:http'], mayNot: [...without('http'), ...top, ...queue, ...stream] },
  'config/a.ts': { may: ['./x.ts', ...inner, 'ajv'], mayNot: [...without('config'), ...top, ...queue, ...stream] },
  'commands/a.ts': { may: [...inner, ...outer, ...top], mayNot: [...queue, ...stream] },
  'a.ts': { may: ['./domain/x.ts', './redis/x.ts', './xmpp/x.ts'], mayNot: [...queue, ...stream] },
}

function without(room: string): string[] {
  return outer.filter((path) => path !== `../${room}/x.ts`)
}

interface Diagnostic {
  readonly category: string
  readonly location: { readonly path: string | { readonly file: string }; readonly start?: { readonly line: number } }
}

const root = fileURLToPath(new URL('..', import.meta.url))
let folder: string
/** `FILE:RULE` of everything that Biome reports. */
let reported: ReadonlySet<string>

/** Every import stands in a file of its own, named by its place in the lists. */
function fileOf(room: string, kind: string, at: number): string {
  return join('src', room.replace('a.ts', `${kind}${at}.ts`))
}

function write(name: string, text: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), text)
}

function lint(): Set<string> {
  const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome')
  const args = [biome, 'lint', '--reporter=json', '--max-diagnostics=none', '--vcs-enabled=false', 'src']
  let text: string
  try {
    text = execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch (error) {
    text = (error as { stdout: string }).stdout
  }
  const { diagnostics } = JSON.parse(text) as { diagnostics: readonly Diagnostic[] }
  return new Set(
    diagnostics.map(({ category, location: { path } }) => {
      return `${typeof path === 'string' ? path : path.file}:${category.split('/').at(-1)}`
    }),
  )
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'waybill-directions-'))
  cpSync(join(root, 'biome.json'), join(folder, 'biome.json'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const [room, { may, mayNot }] of Object.entries(rooms)) {
    may.forEach((path, at) => {
      write(fileOf(room, 'may', at), `import { x } from '${path}'\n\nexport const y = x\n`)
    })
    mayNot.forEach((path, at) => {
      write(fileOf(room, 'may-not', at), `import { x } from '${path}'\n\nexport const y = x\n`)
    })
  }
  write('src/flow/lazy.ts', `export const lazy = () => import('../redis/x.ts')\n`)
  write('src/flow/typed.ts', `import type { X } from '../redis/x.ts'\n\nexport type Y = X\n`)
  write('src/http/passing-on.ts', `export { x } from '../redis/x.ts'\n`)
  write('src/redis/one.ts', `import { two } from './two.ts'\n\nexport const one = () => two\n`)
  write('src/redis/two.ts', `import { one } from './one.ts'\n\nexport const two = () => one\n`)
  write('src/redis/barrel.ts', `export * from './x.ts'\nexport * from './y.ts'\n`)
  reported = lint()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.each(Object.entries(rooms))('src/%s', (room, { may, mayNot }) => {
  it.each(may.map((path, at) => [path, at] as const))('may import %s', (_, at) => {
    expect(reported).not.toContain(`${fileOf(room, 'may', at)}:noRestrictedImports`)
    expect(reported).not.toContain(`${fileOf(room, 'may', at)}:noNodejsModules`)
  })
  it.each(mayNot.map((path, at) => [path, at] as const))('may not import %s', (_, at) => {
    expect(reported).toContain(`${fileOf(room, 'may-not', at)}:noRestrictedImports`)
  })
})

it.each([
  ['an import when it is needed', 'src/flow/lazy.ts:noRestrictedImports'],
  ['an import of types', 'src/flow/typed.ts:noRestrictedImports'],
  ['passing on what another room exports', 'src/http/passing-on.ts:noRestrictedImports'],
  ['two files that import each other', 'src/redis/one.ts:noImportCycles'],
  ['a file that only passes on', 'src/redis/barrel.ts:noBarrelFile'],
])('%s is no way around', (_, report) => {
  expect(reported).toContain(report)
})
