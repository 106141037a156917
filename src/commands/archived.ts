import type { Settings } from '../config/configuration.ts'
import type { ArchivedDocument } from '../flow/ports.ts'
import { CommandFailed } from './output.ts'
import { withStore } from './with-store.ts'

/** What stands for the archive where a folder of documents may be given. A folder of that name is `./archive`. */
export const ARCHIVE = 'archive'
/** How many of the newest are taken where nothing is said. */
export const LAST = 1_000

export interface ArchivedChoice {
  readonly type?: string
  readonly last?: number
}

/** The newest documents of an installation's archive that were valid, oldest first, each with its payload. */
export async function archivedDocuments(
  settings: Settings,
  { type, last = LAST }: ArchivedChoice,
): Promise<readonly (ArchivedDocument & { readonly payload: Uint8Array })[]> {
  if (!settings.archive)
    throw new CommandFailed(2, 'Cannot read the archive: there is none; see archive in waybill.yaml')
  return withStore(settings, async (store) => {
    const found = await store.archived({ valid: true, limit: last, ...(type === undefined ? {} : { type }) })
    const documents = await Promise.all(found.toReversed().map(({ id }) => store.archivedDocument(id)))
    // What the archive has let go meanwhile is left out.
    return documents.filter((document) => document !== undefined)
  })
}
