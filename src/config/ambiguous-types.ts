import type { DocumentType } from '../domain/document-type.ts'
import { overlapOfTypes } from '../domain/type-overlap.ts'
import type { Thing } from './thing.ts'

interface ReadType {
  readonly thing: Thing
  readonly type: DocumentType
}

/**
 * Finds types of which it is sure that they both match some document, and warns of those of which nothing excludes it. What only
 * documents can tell is left to them: two XPaths that may both be true.
 */
export function complainOfAmbiguousTypes(types: readonly ReadType[]): void {
  for (const [at, later] of types.entries()) {
    for (const earlier of types.slice(0, at)) {
      const overlap = overlapOfTypes(earlier.type, later.type)
      if (overlap === undefined) continue
      const { file, line } = earlier.thing.yaml.locate(['identify'])
      const names = `${later.type.name} and ${earlier.type.name} (${file}:${line})`
      const { complain } = later.thing
      if (overlap.kind === 'sure') {
        complain('ambiguous-types', ['identify'], `Cannot tell ${names} apart: ${overlap.reason}`, { at: 'key' })
      } else {
        const message = `Some documents may be ${names} at once, and are refused then: ${overlap.reason}`
        complain('ambiguous-documents', ['identify'], message, { at: 'key', severity: 'warning' })
      }
    }
  }
}
