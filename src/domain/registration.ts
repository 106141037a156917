/** A version of a document type that was registered at run time: a bundle of files that never changes. */
export interface RegisteredVersion {
  readonly name: string
  readonly version: string
  /** SHA-256 of the bundle's files, hex. */
  readonly digest: string
  /** Its place in the order of all changes of the registry. */
  readonly sequence: number
  readonly atMs: number
  /** Who registered it. */
  readonly by: string
  /** Said since, in the place of what the bundle says. */
  readonly deprecated?: string
}

/** The registry after a number of changes. */
export interface RegistryState {
  /** How many changes there were. */
  readonly sequence: number
  /** In the order in which they were registered. */
  readonly versions: readonly RegisteredVersion[]
}

export type RegistryChange =
  | {
      readonly kind: 'register'
      readonly name: string
      readonly version: string
      readonly digest: string
      /** The bundle, packed. */
      readonly bundle: Uint8Array
    }
  | { readonly kind: 'deprecate'; readonly name: string; readonly version: string; readonly text: string }
  | { readonly kind: 'remove'; readonly name: string; readonly version: string }

/**
 * What became of a change. `moved`: another one came first, so that what was checked isn't what there is; `taken`: that version is
 * there with another digest, and versions never change; `unknown`: there is no such version.
 */
export type RegistryAnswer =
  | { readonly kind: 'done'; readonly sequence: number }
  | { readonly kind: 'moved' | 'taken' | 'unknown' }
