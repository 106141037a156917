import type { DocumentType } from '../domain/document-type.ts'
import type { Thing } from './thing.ts'

interface ReadType {
  readonly thing: Thing
  readonly type: DocumentType
}

/** The types with the families of their families as well, where a family is named like a type that has some. */
export function withAllFamilies<Read extends ReadType>(read: readonly Read[]): readonly Read[] {
  const own = new Map<string, Set<string>>()
  for (const { type } of read) {
    own.set(type.name, new Set([...(own.get(type.name) ?? []), ...type.families]))
  }
  return read.map((one) => {
    const families = [...familiesAbove(one.type, own)]
    if (families.includes(one.type.name)) {
      one.thing.complain('family-circle', ['family'], `${one.type.name} is within its own family`)
    }
    return { ...one, type: { ...one.type, families: families.filter((name) => name !== one.type.name) } }
  })
}

function familiesAbove({ families }: DocumentType, own: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> {
  const found = new Set(families)
  // A set gives what is added while it is gone through, and each once: a circle ends.
  for (const family of found) for (const above of own.get(family) ?? []) found.add(above)
  return found
}

/** Where a type has versions, each says which it is: nobody could tell which is meant otherwise. */
export function complainOfMissingVersions(things: readonly Thing[]): void {
  const versioned = new Set(things.filter(({ name, key }) => key !== name).map(({ name }) => name))
  for (const { name, key, complain } of things) {
    if (key !== name || !versioned.has(name)) continue
    const message = `There are several versions of ${name}, and this one doesn't say which it is: version`
    complain('version-missing', ['name'], message)
  }
}
