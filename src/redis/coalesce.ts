import { StoreUnavailable } from '../flow/ports.ts'

export interface CoalesceOptions<In> {
  /** What is done, for messages. */
  readonly name: string
  /** How many inputs, and how much of their weight, one call takes. An input that is heavier goes alone. */
  readonly most: number
  readonly mostWeight: number
  weigh(input: In): number
  /** How much may be gathered before callers are turned away, in weight. */
  readonly gatheredWeight: number
  /** How long a caller waits at most. */
  readonly patienceMs: number
}

interface Pending<In, Out> {
  readonly input: In
  readonly weight: number
  readonly deadlineMs: number
  resolve(output: Out): void
  reject(error: unknown): void
}

/**
 * Makes one call of many: while one is in flight, the next ones gather. Nothing lingers when idle. The order of the callers
 * is kept, within a call and from call to call, and each gets its own answer.
 */
export function coalesce<In, Out>(
  run: (inputs: readonly In[], deadlineMs: number) => Promise<readonly Out[]>,
  options: CoalesceOptions<In>,
): (input: In) => Promise<Out> {
  const gathered: Pending<In, Out>[] = []
  let gatheredWeight = 0
  let inFlight = false

  function nextBatch(): Pending<In, Out>[] {
    let weight = 0
    let count = 0
    while (count < gathered.length && count < options.most) {
      weight += gathered[count]!.weight
      if (count > 0 && weight > options.mostWeight) break
      count += 1
    }
    const batch = gathered.splice(0, count)
    for (const pending of batch) gatheredWeight -= pending.weight
    return batch
  }

  async function runBatch(batch: readonly Pending<In, Out>[]): Promise<void> {
    try {
      const outputs = await run(
        batch.map((pending) => pending.input),
        batch[0]!.deadlineMs,
      )
      batch.forEach((pending, index) => {
        pending.resolve(outputs[index]!)
      })
    } catch (error) {
      for (const pending of batch) pending.reject(error)
    }
  }

  async function drain(): Promise<void> {
    if (inFlight) return
    inFlight = true
    // Callers of the same tick belong together.
    await Promise.resolve()
    while (gathered.length > 0) await runBatch(nextBatch())
    inFlight = false
  }

  return (input) => {
    const weight = options.weigh(input)
    if (gatheredWeight > options.gatheredWeight) {
      const text = `Cannot ${options.name}: ${gathered.length} calls wait for Redis already`
      return Promise.reject(new StoreUnavailable(text))
    }
    return new Promise<Out>((resolve, reject) => {
      gathered.push({ input, weight, deadlineMs: Date.now() + options.patienceMs, resolve, reject })
      gatheredWeight += weight
      void drain()
    })
  }
}
