import type { Configuration, Problem } from './config/configuration.ts'
import { compareSchemas } from './documents/evolution/compare-schemas.ts'
import { judgeVersion } from './documents/evolution/compatibility.ts'
import { NotComparable } from './documents/evolution/not-comparable.ts'
import type { Verdict } from './documents/evolution/verdict.ts'
import { type DocumentType, type SchemaLayer, typeKey } from './domain/document-type.ts'
import { compareVersions, newestOf } from './domain/type-version.ts'

type Known = Pick<Configuration, 'types' | 'digests' | 'locate'>

/**
 * What a new version breaks of the compatibility that its type asks for, or can't be proven to keep. The newest of the other versions says what
 * is asked for: a version can't excuse itself. It may take a minute where the schemas are large.
 */
export function incompatibilities(type: DocumentType, { types, digests, locate }: Known): readonly Problem[] {
  const others = types.filter(({ name, version }) => name === type.name && version !== type.version)
  const mode = newestOf(others)?.compatibility
  if (mode === undefined) return []
  const earlier = others
    .filter(({ version }) => compareVersions(version, type.version) < 0)
    .sort((one, other) => compareVersions(one.version, other.version))
  return judgeVersion(mode, earlier, type, (old, next) => compareTypes(old, next, digests)).flatMap(
    ({ direction, against, verdict }): readonly Problem[] => {
      if (verdict.kind === 'compatible') return []
      const both = [typeKey(type), typeKey(against)] as const
      const [taking, refusing] = direction === 'backward' ? both.toReversed() : both
      const words = wordsOf(verdict, taking!, refusing!)
      const message = `type ${typeKey(type)}: it must be ${direction} compatible with ${typeKey(against)} (${mode}): ${words}`
      return [
        {
          code: 'incompatible-version',
          severity: 'error',
          message,
          ...locate('DocumentType', typeKey(type), ['schema']),
        },
      ]
    },
  )
}

function compareTypes(old: DocumentType, next: DocumentType, digests: Known['digests']): Verdict {
  const rules = newRules(old, next, digests)
  if (rules) return unknown(`the rules in ${rules.file} are not the same, and rules are not compared`)
  const [before, after] = [formLayer(old), formLayer(next)]
  if (!after) return { kind: 'compatible' }
  if (!before) return unknown('only one of them has a schema of the form')
  const { xml } = next.identify
  try {
    return compareSchemas(before, after, xml ? { roots: [xml.root] } : {})
  } catch (error) {
    if (!(error instanceof NotComparable)) throw error
    return unknown(error.message)
  }
}

const refuses = ({ onInvalid }: SchemaLayer) => onInvalid === 'reject'

/** The layer that says how documents are built; more than one can't be compared as one. */
function formLayer({ layers }: DocumentType): SchemaLayer | undefined {
  return layers.filter(refuses).find(({ language }) => language !== 'schematron')
}

/** Rules, or a second schema of the form, that may refuse what the old version accepted; undefined where all of them were there. */
function newRules(old: DocumentType, next: DocumentType, digests: Known['digests']): SchemaLayer | undefined {
  const digestsOf = (type: DocumentType) => digests.get(typeKey(type))?.split(' ') ?? []
  const known = new Set(digestsOf(old))
  const form = formLayer(next)
  return next.layers.find((layer, at) => refuses(layer) && layer !== form && !known.has(digestsOf(next)[at]!))
}

function unknown(message: string): Verdict {
  return { kind: 'unknown', reasons: [{ path: '', message, old: '', new: '' }] }
}

function wordsOf(verdict: Exclude<Verdict, { readonly kind: 'compatible' }>, taking: string, refusing: string): string {
  if (verdict.kind === 'unknown') {
    return `that can't be proven: ${verdict.reasons.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ')}`
  }
  const { path, message, document } = verdict.witness
  return `${path}: ${message}. This document is accepted by ${taking} and refused by ${refusing}: ${document}`
}
