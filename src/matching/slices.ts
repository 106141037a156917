/** Work that can be left off after each step, and taken up again. */
export type Steps<Result = void> = Generator<void, Result, void>

/** Lets others have their turn. */
export type Pause = () => Promise<void>

export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** So long is worked without a pause; a step takes far less. */
const SLICE_MS = 1
/** Steps between two looks at the clock. */
const STEPS = 8

export async function inSlices<Result>(steps: Steps<Result>, pause: Pause): Promise<Result> {
  let untilMs = performance.now() + SLICE_MS
  for (let count = 1; ; count++) {
    const { done, value } = steps.next()
    if (done) return value
    if (count % STEPS !== 0 || performance.now() < untilMs) continue
    await pause()
    untilMs = performance.now() + SLICE_MS
  }
}

/** Sorted runs of so many are merged. */
const RUN = 256

/** A sorted copy; equal ones keep their order. */
export function* sorted<Item>(items: readonly Item[], compare: (a: Item, b: Item) => number): Steps<readonly Item[]> {
  let runs: (readonly Item[])[] = []
  for (let at = 0; at < items.length; at += RUN) {
    runs.push(items.slice(at, at + RUN).sort(compare))
    yield
  }
  while (runs.length > 1) {
    const merged: (readonly Item[])[] = []
    for (let at = 0; at < runs.length; at += 2) merged.push(yield* merge(runs[at]!, runs[at + 1] ?? [], compare))
    runs = merged
  }
  return runs[0] ?? []
}

function* merge<Item>(
  left: readonly Item[],
  right: readonly Item[],
  compare: (a: Item, b: Item) => number,
): Steps<readonly Item[]> {
  const merged: Item[] = []
  let [fromLeft, fromRight] = [0, 0]
  while (fromLeft < left.length || fromRight < right.length) {
    const isLeft =
      fromRight >= right.length || (fromLeft < left.length && compare(left[fromLeft]!, right[fromRight]!) <= 0)
    merged.push(isLeft ? left[fromLeft++]! : right[fromRight++]!)
    if (merged.length % RUN === 0) yield
  }
  return merged
}
