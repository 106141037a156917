import type { Store, Wakes } from './ports.ts'

/**
 * Has the deliveries written that were too many to be written with their documents, and wakes for them: one part after the other, between
 * which others have their turn. What a process leaves undone, the next one to hold the domain goes on with, or the next sweep.
 */
export async function expand({ store, wakes }: { readonly store: Pick<Store, 'expand'>; readonly wakes: Wakes }) {
  for (let isMore = true; isMore; ) {
    const { ids, more } = await store.expand()
    if (ids.length > 0) await wakes.wake(ids, 0)
    isMore = more
  }
}
