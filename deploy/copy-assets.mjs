// The second half of `npm run build`: what the compiler leaves behind in src/ goes to dist/ beside the code that reads it.
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const source = join(root, 'src')
const target = join(root, 'dist')

for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
  // TypeScript has been compiled; .mjs files are scripts for the work on the project.
  if (!entry.isFile() || /\.(ts|mjs)$/.test(entry.name)) continue
  const from = join(entry.parentPath, entry.name)
  const to = join(target, from.slice(source.length))
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(from, to)
}

const cli = join(target, 'cli.js')
if (existsSync(cli)) chmodSync(cli, 0o755)

// The set-up of `npm start` and `npm test` compares its time with that of the sources.
writeFileSync(join(target, '.built'), '')
