import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterwards } from '../afterwards.ts'

const CONFIG = fileURLToPath(new URL('./config/', import.meta.url))

/** A folder with the scenarios' kinds and with further files, which replace those of the same name; removed after the tests. */
export function scenarioFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-kinds-'))
  afterwards(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(CONFIG, folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}
