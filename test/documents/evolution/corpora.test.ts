import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { compareSchemas } from '../../../src/documents/evolution/compare-schemas.ts'
import type { Verdict } from '../../../src/documents/evolution/verdict.ts'
import { isAccepted } from './given.ts'

const CORPORA = resolve(process.env.WAYBILL_CORPORA ?? '../shared/corpora')
const UBL = join(CORPORA, 'ubl-2.1')
const present = existsSync(UBL)
if (!present) console.warn(`Not there: UBL in ${UBL} (WAYBILL_CORPORA names another folder). It isn’t compared here.`)

const INVOICE = 'maindoc/UBL-Invoice-2.1.xsd'
const COMPONENTS = 'common/UBL-CommonAggregateComponents-2.1.xsd'
const ROOT = '{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice'

describe.runIf(present)('UBL 2.1 against a changed copy of itself', () => {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-ubl-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  let copies = 0

  function compared(file: string, change: (text: string) => string, isForward = false): Verdict {
    copies += 1
    const copy = join(folder, String(copies))
    cpSync(UBL, copy, { recursive: true, filter: (path) => !path.includes('samples') })
    const text = readFileSync(join(copy, file), 'utf8')
    expect(change(text) === text && file !== '').toBe(false)
    writeFileSync(join(copy, file), change(text))
    const [old, next] = [UBL, copy].map((path) => ({
      language: 'xsd' as const,
      folder: path,
      file: join(path, INVOICE),
    }))
    const [one, other] = isForward ? [next!, old!] : [old!, next!]
    const verdict = compareSchemas(one, other, { roots: [ROOT] })
    if (verdict.kind === 'incompatible') {
      expect(isAccepted(one, verdict.witness.document)).toBe(true)
      expect(isAccepted(other, verdict.witness.document)).toBe(false)
    }
    return verdict
  }

  it('a comment changes nothing', () => {
    expect(compared(INVOICE, (text) => `${text}<!-- -->`)).toEqual({ kind: 'compatible' })
  })

  const required = (text: string) => text.replace(/(<xsd:element ref="cbc:IssueTime" minOccurs=")0"/, '$11"')

  it('an element of the invoice becomes required', () => {
    expect(compared(INVOICE, required).kind).toBe('incompatible')
    expect(compared(INVOICE, required, true)).toEqual({ kind: 'compatible' })
  })

  it('an element deep within becomes optional', () => {
    const optional = (text: string) =>
      text.replace(
        /(<xsd:complexType name="ItemPropertyType">[\s\S]*?<xsd:element ref="cbc:Name" minOccurs=")1"/,
        '$10"',
      )
    expect(compared(COMPONENTS, optional)).toEqual({ kind: 'compatible' })
    const forward = compared(COMPONENTS, optional, true)
    expect(forward.kind === 'incompatible' && forward.witness.path).toMatch(/^\/Invoice\/.*Property$/)
  })
})
