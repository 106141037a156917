// Other validators, asked about many files at once.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const MANY = 200
const OUTPUT_BYTES = 1 << 28

/** @param {string} program @param {readonly string[]} args */
function run(program, args) {
  const { stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: OUTPUT_BYTES })
  if (error) throw new Error(`Cannot run ${program}: ${error.message}`)
  return { stdout, stderr }
}

/** @template T @param {readonly T[]} list @returns {T[][]} */
function inParts(list) {
  return Array.from({ length: Math.ceil(list.length / MANY) }, (_, at) => list.slice(at * MANY, (at + 1) * MANY))
}

/**
 * @param {string} schema @param {readonly string[]} files
 * @returns {{ valid: boolean, messages: string[] }[]} what it says of each
 */
export function askXmllint(schema, files) {
  return inParts(files).flatMap((part) => {
    const { stderr } = run('xmllint', ['--noout', '--nonet', '--schema', schema, ...part])
    // A message may run over several lines; the next one begins with a file.
    const said = stderr.split(/\n(?=\S+\.xml[: ])/)
    return part.map((file) => ({
      valid: said.some((one) => one.trim() === `${file} validates`),
      messages: said.filter((one) => one.startsWith(`${file}:`)).map((one) => one.replace(/^.*?error : /s, '')),
    }))
  })
}

/**
 * Xerces knows schemas by `xsi:schemaLocation` alone, which the files must have.
 *
 * @param {readonly string[]} files
 * @param {string} folder for the list of files
 * @returns {{ valid: boolean | undefined, message: string }[]} undefined where Xerces gave no answer
 */
export function askXerces(files, folder) {
  const list = join(folder, 'xerces.txt')
  return inParts(files).flatMap((part) => {
    writeFileSync(list, `${part.join('\n')}\n`)
    const { stdout, stderr } = run('SAXCount', ['-v=always', '-n', '-s', '-f', '-l', list])
    const said = new Map(
      [...`${stderr}\n${stdout}`.matchAll(/(?:Fatal )?Error at file (.*), line \d+, char \d+\s+Message: (.*)/g)].map(
        ([, file, message]) => [file, message],
      ),
    )
    const aboutSchema = [...said].find(([file]) => !part.includes(file ?? ''))
    if (aboutSchema) throw new Error(`Xerces doesn't take ${aboutSchema.join(': ')}`)
    // It may stop in the middle of a list: of the rest nothing is known.
    return part.map((file) => ({
      valid: said.has(file) ? false : stdout.includes(`${file}: `) || undefined,
      message: said.get(file) ?? '',
    }))
  })
}

/** @param {string} schema @param {readonly string[]} files @returns {{ isSchemaWrong: boolean, valid: boolean[] }} */
export function askJing(schema, files) {
  let isSchemaWrong = false
  const valid = inParts(files).flatMap((part) => {
    const { stdout, stderr } = run('jing', [...(schema.endsWith('.rnc') ? ['-c'] : []), schema, ...part])
    const lines = `${stdout}\n${stderr}`.split('\n')
    // It stops at the first one that isn't well-formed: then nothing is known of the others.
    const fatal = lines.find((line) => line.includes('.xml:') && line.includes(': fatal: '))
    if (fatal !== undefined) throw new Error(`jing stopped: ${fatal}`)
    isSchemaWrong ||= lines.some((line) => /\.rn[cg]:\d+:\d+: (error|fatal)|^fatal: /.test(line))
    return part.map((file) => !lines.some((line) => line.startsWith(`${file}:`)))
  })
  return { isSchemaWrong, valid }
}

export const SAXON = '/usr/share/java/Saxon-HE.jar'

/**
 * Runs a stylesheet over a folder.
 *
 * @param {string} stylesheet @param {string} from @param {string} to
 * @returns {Map<string, string>} what came of each file, by its name
 */
export function askSaxon(stylesheet, from, to) {
  mkdirSync(to, { recursive: true })
  const { stderr } = run('java', [
    '-cp',
    SAXON,
    'net.sf.saxon.Transform',
    `-s:${from}`,
    `-xsl:${stylesheet}`,
    `-o:${to}`,
  ])
  const results = new Map(readdirSync(to).map((name) => [name, readFileSync(join(to, name), 'utf8')]))
  if (results.size === 0) throw new Error(`Cannot ask Saxon: ${stderr.slice(0, 500)}`)
  return results
}
