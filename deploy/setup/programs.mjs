/** The programs that are not npm packages: found, or installed. */
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { fileURLToPath } from 'node:url'
import { runQuietly, SetUpFailed } from './command.mjs'
import { say, step } from './progress.mjs'

const INSTALL_DEBIAN = fileURLToPath(new URL('./install-debian.sh', import.meta.url))
const SYSTEM_FOLDERS = [
  '/usr/sbin',
  '/sbin',
  '/usr/local/sbin',
  '/usr/bin',
  '/usr/local/bin',
  '/opt/homebrew/bin',
  '/opt/homebrew/sbin',
]

/**
 * @typedef {{ name: string, isThere: () => boolean | Promise<boolean>, debian: string, brew?: string }} Program
 * `brew` is absent where Homebrew has no package.
 */

/** @type {Readonly<Record<'redis' | 'prosody' | 'ejabberd' | 'xmllint' | 'slixmpp' | 'strace', Program>>} */
export const PROGRAMS = {
  redis: { name: 'redis-server', isThere: () => isThere('redis-server'), debian: 'redis-server', brew: 'redis' },
  prosody: { name: 'prosody', isThere: () => isThere('prosody'), debian: 'prosody', brew: 'prosody/prosody/prosody' },
  ejabberd: {
    name: 'ejabberd',
    isThere: () => isThere('ejabberdctl') && isThere('erl'),
    debian: 'ejabberd',
    brew: 'ejabberd',
  },
  xmllint: { name: 'xmllint', isThere: () => isThere('xmllint'), debian: 'libxml2-utils', brew: 'libxml2' },
  slixmpp: { name: 'slixmpp for Python', isThere: hasSlixmpp, debian: 'python3-slixmpp' },
  // Linux only; the one test that looks at system calls says elsewhere that it is left out.
  strace: { name: 'strace', isThere: () => process.platform !== 'linux' || isThere('strace'), debian: 'strace' },
}

/** Not every distribution has a package of these; the tests that need them are left out where they are not there. */
export const OPTIONAL_PROGRAMS = {
  jabberd2: {
    name: 'jabberd2',
    isThere: () => isThere('jabberd2-router') && isThere('jabberd2-sm'),
    debian: 'jabberd2',
  },
}

/** Validators that `npm run conformance` compares with. @type {Readonly<Record<'jing' | 'xerces' | 'saxon', Program>>} */
export const CONFORMANCE_PROGRAMS = {
  jing: { name: 'jing', isThere: () => isThere('jing') && isThere('java'), debian: 'jing', brew: 'jing-trang' },
  xerces: {
    name: 'SAXCount of Xerces',
    isThere: () => isThere('SAXCount'),
    debian: 'libxerces-c-samples',
    brew: 'xerces-c',
  },
  saxon: {
    name: 'Saxon for Java',
    isThere: () => isThere('java') && existsSync('/usr/share/java/Saxon-HE.jar'),
    debian: 'libsaxonhe-java',
  },
}

/** The program's full name, or undefined. */
export function findProgram(name) {
  return [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS]
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable)
}

/**
 * Installs those of the programs that are missing. Asks first where somebody is there to answer.
 *
 * @param {readonly Program[]} programs
 */
export async function ensurePrograms(programs) {
  const missing = await missingOf(programs)
  if (missing.length === 0) return
  const way = await installationWay(missing)
  if (!way) throw new SetUpFailed(whatToInstall(missing))
  if (!(await agreed(missing, way))) throw new SetUpFailed(`Nothing was installed. ${whatToInstall(missing)}`)
  const names = missing.map((program) => program.name).join(', ')
  try {
    await step(`installing ${names} with ${way.name}`, () => way.install(missing))
  } catch (error) {
    throw new SetUpFailed(`${error.message}\n${whatToInstall(missing)}`)
  }
  const still = await missingOf(missing)
  if (still.length > 0)
    throw new SetUpFailed(`The installation went through, but something is still missing. ${whatToInstall(still)}`)
}

/**
 * Installs those that are missing where that is possible, and says where it isn't.
 *
 * @param {readonly Program[]} programs
 */
export async function offerPrograms(programs) {
  try {
    await ensurePrograms(programs)
  } catch (error) {
    say(`Going on without ${programs.map(({ name }) => name).join(', ')}: ${error.message}`)
  }
}

async function missingOf(programs) {
  const there = await Promise.all(programs.map((program) => program.isThere()))
  return programs.filter((_, index) => !there[index])
}

async function installationWay(missing) {
  const isRoot = process.getuid?.() === 0
  if (isThere('apt-get') && isThere('flock')) {
    if (isRoot) return { name: 'apt', install: (programs) => runQuietly(INSTALL_DEBIAN, debianPackages(programs)) }
    if (await canUseSudo()) return { name: 'sudo apt', install: installWithSudo }
    return undefined
  }
  if (isThere('brew') && missing.every((program) => program.brew)) {
    return {
      name: 'Homebrew',
      install: (programs) => runQuietly('brew', ['install', ...programs.map((program) => program.brew)]),
    }
  }
  return undefined
}

async function installWithSudo(programs) {
  // sudo asks for the password on the terminal itself.
  await runQuietly('sudo', [INSTALL_DEBIAN, ...debianPackages(programs)], {
    stdin: somebodyIsThere() ? 'inherit' : 'ignore',
  })
}

async function canUseSudo() {
  if (!isThere('sudo')) return false
  if (somebodyIsThere()) return true
  return runQuietly('sudo', ['-n', 'true']).then(
    () => true,
    () => false,
  )
}

function debianPackages(programs) {
  return programs.map((program) => program.debian)
}

function whatToInstall(missing) {
  return `Please install ${missing.map((program) => program.name).join(', ')} (on Debian and Ubuntu: apt-get install ${debianPackages(missing).join(' ')}) and start again.`
}

function somebodyIsThere() {
  return Boolean(process.stdin.isTTY) && process.env.CI !== 'true'
}

async function agreed(missing, way) {
  const names = missing.map((program) => program.name).join(', ')
  say(`Missing on this machine: ${names}.`)
  if (!somebodyIsThere()) return true
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(`Install with ${way.name}? No system service is started or enabled. [Y/n] `)
    return /^(y|yes|)$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}

function isThere(name) {
  return findProgram(name) !== undefined
}

// Debian's packages are for Debian's Python, which need not be the first on the path.
function hasSlixmpp() {
  const tries = ['python3', '/usr/bin/python3'].map((python) => runQuietly(python, ['-c', 'import slixmpp']))
  return Promise.any(tries).then(
    () => true,
    () => false,
  )
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
