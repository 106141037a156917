import { type Assembly, assemble } from './assemble.ts'
import { incompatibilities } from './compatible.ts'
import { type BundleFiles, digestOfBundle, packBundle, type RegisteredBundle } from './config/bundle.ts'
import type { Problem } from './config/configuration.ts'
import { type DocumentType, typeKey } from './domain/document-type.ts'
import type { RegistryChange } from './domain/registration.ts'
import type { Registry } from './flow/ports.ts'
import type { Registered } from './registered.ts'

/** What a change of the registry is checked against. */
export interface RegisterNeeds {
  readonly folder: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly registry: Registry
  readonly registered: Registered
}

export type RegisterOutcome =
  /** `sequence`: its place in the order of all changes. */
  | { readonly kind: 'done'; readonly type: string; readonly digest: string; readonly sequence: number }
  /** With the change the configuration would have errors: nothing was changed. */
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }
  /** That version is there with other files, and versions never change. */
  | { readonly kind: 'taken'; readonly type: string }
  | { readonly kind: 'unknown'; readonly type: string }
  /** Others changed the registry each time that it was checked. */
  | { readonly kind: 'crowded' }

export type Version = Pick<DocumentType, 'name' | 'version'>

/** How often a change is checked again since another one came first. */
const TRIES = 5
/** Of a bundle that is not registered yet, in messages. */
const LABEL = 'bundle'

/**
 * Registers a bundle as a version of its type: the configuration is loaded with it as every process will load it, and it is refused with all
 * that is wrong then. Durable on return, and in force in every process that runs within moments.
 */
export async function register(files: BundleFiles, by: string, needs: RegisterNeeds): Promise<RegisterOutcome> {
  const digest = digestOfBundle(files)
  const bundle = await needs.registered.layOut(LABEL, digest, files)
  const packed = await packBundle(files)
  return change(needs, by, digest, async (bundles) => {
    const others = bundles.filter(({ folder }) => folder !== bundle.folder)
    const { assembly, problems } = await assemble(needs.folder, needs.environment, [...others, bundle])
    if (!assembly) return { problems: problems.map((problem) => withoutFolder(problem, bundle)) }
    const [type] = typesOfBundle(assembly, bundle)
    assembly.documents.dispose()
    if (!type) throw new Error('Cannot register: the bundle has no type')
    const broken = incompatibilities(type, assembly.configuration)
    if (broken.length > 0) return { problems: broken.map((problem) => withoutFolder(problem, bundle)) }
    return { change: { kind: 'register', name: type.name, version: type.version, digest, bundle: packed } }
  })
}

/** Where the bundle was laid out is nobody's business: paths in messages begin with its label. */
function withoutFolder(problem: Problem, { folder, label }: RegisteredBundle): Problem {
  return { ...problem, message: problem.message.replaceAll(`${folder}/`, `${label}/`) }
}

/** What is said to the senders of a version from now on; '' takes it back. */
export function deprecate(version: Version, text: string, by: string, needs: RegisterNeeds): Promise<RegisterOutcome> {
  return change(needs, by, '', async () => ({ change: { kind: 'deprecate', ...version, text } }))
}

/** A version that routes or other types still ask for is not removed: the configuration would have errors. */
export function remove(version: Version, by: string, needs: RegisterNeeds): Promise<RegisterOutcome> {
  const label = `registered/${typeKey(version)}`
  return change(needs, by, '', async (bundles) => {
    const rest = bundles.filter((bundle) => bundle.label !== label)
    const { assembly, problems } = await assemble(needs.folder, needs.environment, rest)
    if (!assembly) return { problems }
    assembly.documents.dispose()
    return { change: { kind: 'remove', ...version } }
  })
}

type Checked = { readonly change: RegistryChange } | { readonly problems: readonly Problem[] }

/** What was checked is what is changed: where another change came first, it is checked again. */
async function change(
  { registry, registered }: RegisterNeeds,
  by: string,
  digest: string,
  check: (bundles: readonly RegisteredBundle[]) => Promise<Checked>,
): Promise<RegisterOutcome> {
  for (let tries = 0; tries < TRIES; tries++) {
    const { state, bundles } = await registered.read()
    const checked = await check(bundles)
    if ('problems' in checked) return { kind: 'refused', problems: checked.problems }
    const type = typeKey(checked.change)
    const answer = await registry.change(checked.change, state.sequence, by)
    switch (answer.kind) {
      case 'done':
        return { kind: 'done', type, digest, sequence: answer.sequence }
      case 'taken':
      case 'unknown':
        return { kind: answer.kind, type }
      case 'moved':
    }
  }
  return { kind: 'crowded' }
}

function typesOfBundle({ configuration }: Assembly, { label }: RegisteredBundle): readonly DocumentType[] {
  return configuration.types.filter((type) =>
    configuration.locate('DocumentType', typeKey(type), []).file.startsWith(`${label}/`),
  )
}
