// `npm test`: sets up what is missing, builds, runs every test, and says in its last line how many passed.
// Arguments go to vitest: `npm test -- test/flow`, `npm test -- -t "a name"`.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { failWith } from '../deploy/setup/command.mjs'
import { build, installPackages } from '../deploy/setup/packages.mjs'
import { ensurePrograms, OPTIONAL_PROGRAMS, offerPrograms, PROGRAMS } from '../deploy/setup/programs.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

try {
  await installPackages(root)
  await build(root)
  await ensurePrograms(Object.values(PROGRAMS))
  await offerPrograms(Object.values(OPTIONAL_PROGRAMS))
} catch (error) {
  failWith(error)
}

const folder = mkdtempSync(join(tmpdir(), 'waybill-report-'))
const report = join(folder, 'report.json')
const exitCode = await runVitest(process.argv.slice(2))
const { passed, failed, skipped } = countsOf(report)
rmSync(folder, { recursive: true, force: true })

// A run without a test proves nothing.
process.exitCode = exitCode === 0 && passed + failed === 0 ? 1 : exitCode
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)

/** @param {readonly string[]} args */
function runVitest(args) {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...args], { cwd: root, stdio: 'inherit' })
  const pass = (signal) => child.kill(signal)
  process.on('SIGTERM', pass)
  // From a terminal Ctrl-C reaches vitest by itself; here it is only kept from ending us first.
  process.on('SIGINT', () => {})
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ? 1 : (code ?? 1))))
}

function countsOf(file) {
  try {
    const result = JSON.parse(readFileSync(file, 'utf8'))
    // A test file that doesn't load has no tests that could fail.
    const unloaded = result.testResults.filter(
      ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
    )
    return {
      passed: result.numPassedTests,
      failed: result.numFailedTests + unloaded.length,
      skipped: result.numPendingTests + result.numTodoTests,
    }
  } catch {
    return { passed: 0, failed: 0, skipped: 0 }
  }
}
