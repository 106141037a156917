// The validators of the build, as the conformance suites ask them.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** @param {string} path below dist */
const built = (path) => import(new URL(`../../dist/${path}`, import.meta.url).href)

const { compileDocuments, parseDocumentFile } = await built('documents/documents.js')
const { parseXml } = await built('documents/xml.js')
const { noLimits } = await built('documents/limits.js')
export const { serialise } = await built('domain/serialise.js')

const LIMITS = { documentBytes: 10_000_000, depth: 250, attributes: 1_000 }

/** @param {string} xml */
export function parse(xml) {
  const parsed = parseXml(xml, noLimits)
  if (parsed.kind !== 'xml') throw new Error(parsed.rejection.text)
  return parsed.root
}

/**
 * @param {{ language: 'xsd' | 'rng' | 'json' | 'schematron', file: string, folder: string, root?: string, namespaces?: Record<string, string> }} schema
 * @returns {Promise<{ problems: { message: string, severity: string }[], findingsOf: (text: string) => any[], dispose: () => void }>}
 */
export async function compile({ language, file, folder, root = 'any', namespaces = {} }) {
  const layer = { language, file, folder, onInvalid: 'reject', phase: '#ALL', place: ['schema', language] }
  const identify = language === 'json' ? { json: { datatype: 'any' } } : { xml: { root } }
  const type = {
    name: 'any',
    identify,
    namespaces,
    layers: [layer],
    senders: undefined,
    fields: {},
    key: undefined,
    onInvalid: 'reject',
  }
  const { documents, problems } = await compileDocuments([type], LIMITS)
  const name = language === 'json' ? 'a.json' : 'a.xml'
  return {
    problems: problems.filter((/** @type {{ severity: string }} */ { severity }) => severity === 'error'),
    findingsOf(text) {
      const parsed = parseDocumentFile(Buffer.from(text), name, LIMITS)
      if (parsed.kind === 'rejected') return parsed.rejection.findings
      return documents.validate(parsed.document, type).findings
    },
    dispose: () => documents.dispose(),
  }
}

/** @param {readonly { severity: string }[]} findings */
export const isValid = (findings) => findings.every(({ severity }) => severity !== 'error')

/** @param {string} folder @param {Readonly<Record<string, string>>} files @returns {string[]} their full names */
export function write(folder, files) {
  return Object.entries(files).map(([name, text]) => {
    const file = join(folder, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    return file
  })
}
