import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * xmllint in one process over a list that names the same file many times. What the process and the schema cost is in two lists of
 * different length, so their difference is what the documents take.
 *
 * `tree` compiles the schema once and builds a tree of each document; `--stream` reads without a tree, and compiles the schema
 * again for every document: that is how xmllint is made.
 *
 * @typedef {{ treeUs: number, streamUs: number }} Xmllint microseconds for one document
 */

const COUNTS = { tree: { few: 20, many: 1_020, quickly: 220 }, stream: { few: 1, many: 21, quickly: 6 } }

/**
 * @param {'xsd' | 'rng'} language
 * @param {string} schema
 * @param {string} text
 * @param {boolean} quick
 * @returns {Xmllint | undefined} undefined where there is no xmllint
 */
export function measureXmllint(language, schema, text, quick) {
  if (spawnSync('xmllint', ['--version']).error) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'waybill-bench-validate-'))
  try {
    const file = join(folder, 'document.xml')
    writeFileSync(file, text)
    const options = ['--noout', '--nonet', language === 'xsd' ? '--schema' : '--relaxng', schema]
    const each = ({ few, many, quickly }, /** @type {string[]} */ more) => {
      const count = quick ? quickly : many
      const difference = tookUs([...options, ...more], file, count) - tookUs([...options, ...more], file, few)
      return difference / (count - few)
    }
    return { treeUs: each(COUNTS.tree, []), streamUs: each(COUNTS.stream, ['--stream']) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Whether xmllint finds the document valid. @param {'xsd' | 'rng'} language @param {string} schema @param {string} text */
export function xmllintSays(language, schema, text) {
  const option = language === 'xsd' ? '--schema' : '--relaxng'
  const { status } = spawnSync('xmllint', ['--noout', '--nonet', option, schema, '-'], { input: text })
  return status === 0
}

/**
 * The lesser of clock and CPU time, as for everything else.
 *
 * @param {string[]} options
 * @param {string} file
 * @param {number} count
 */
function tookUs(options, file, count) {
  const script = `TIMEFORMAT='%R %U %S'; { time xmllint "$@" >/dev/null 2>&1; } 2>&1`
  const files = Array.from({ length: count }, () => file)
  const { stdout, error } = spawnSync('bash', ['-c', script, 'xmllint', ...options, ...files], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  })
  if (error) throw error
  const [clock, user, system] = stdout.trim().split(' ').map(Number)
  return Math.min(clock, user + system) * 1e6
}
