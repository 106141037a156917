/** npm packages and the build: done only where something is missing or out of date. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { runQuietly, SetUpFailed } from './command.mjs'
import { step } from './progress.mjs'

/** @param {string} root the clone */
export async function installPackages(root) {
  if (packagesAreInstalled(root)) return
  await step('installing npm packages', () => runNpm(root, ['ci', '--no-audit', '--no-fund']))
}

/** @param {string} root the clone */
export async function build(root) {
  if (buildIsFresh(root)) return
  await step('building', () => runNpm(root, ['run', 'build']))
}

/**
 * npm keeps a lock file of its own of what it installed: every package has to be there in the version that the project's
 * lock file names. Packages for other platforms are optional, and may be missing.
 */
export function packagesAreInstalled(root) {
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'))
  const wanted = packagesOf(join(root, 'package-lock.json'))
  if (!installed || !wanted) return false
  return Object.entries(wanted).every(([path, { version, optional, integrity }]) => {
    const found = installed[path]
    if (path === '' || (optional && !found)) return true
    return found?.version === version && found?.integrity === integrity
  })
}

function packagesOf(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, 'utf8')).packages
  } catch {
    return undefined
  }
}

/** The build leaves a mark (copy-assets.mjs); nothing that it reads may be younger. */
export function buildIsFresh(root) {
  const mark = join(root, 'dist', '.built')
  if (!existsSync(mark)) return false
  const builtAt = statSync(mark).mtimeMs
  const inputs = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'deploy/copy-assets.mjs']
  const sources = readdirSync(join(root, 'src'), { recursive: true }).map((name) => join('src', name))
  return [...inputs, ...sources].every((file) => statSync(join(root, file)).mtimeMs <= builtAt)
}

async function runNpm(root, args) {
  // Below `npm start`, this is the very npm that runs us.
  const script = process.env.npm_execpath
  const [command, first] = script?.endsWith('.js') ? [process.execPath, [script]] : ['npm', []]
  try {
    await runQuietly(command, [...first, ...args], { cwd: root })
  } catch (error) {
    throw new SetUpFailed(error.message)
  }
}
