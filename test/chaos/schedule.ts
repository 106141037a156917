/** What goes wrong and when, decided by the seed alone. */

/** Each breaks one thing; things of one target are broken one after the other, those of several may be at once. */
export const FAULTS = {
  'kill the holder': { target: 'waybill', seconds: [0.2, 3] },
  'kill the standby': { target: 'waybill', seconds: [0.2, 2] },
  'stop the holder': { target: 'waybill', seconds: [0.2, 2] },
  'freeze the holder': { target: 'waybill', seconds: [1, 12] },
  'freeze the standby': { target: 'waybill', seconds: [1, 5] },
  'kill Redis': { target: 'redis', seconds: [0.2, 3] },
  'freeze Redis': { target: 'redis', seconds: [0.5, 9] },
  'fill Redis': { target: 'redis', seconds: [1, 4] },
  'kill the server': { target: 'server', seconds: [0.2, 3] },
  'freeze the server': { target: 'server', seconds: [0.5, 8] },
  'cut what goes to the server': { target: 'link', seconds: [1, 1] },
  'cut what comes from the server': { target: 'link', seconds: [1, 1] },
  'lose what goes to the server': { target: 'link', seconds: [0.3, 3] },
  'lose what comes from the server': { target: 'link', seconds: [0.3, 3] },
  'stall the link to the server': { target: 'link', seconds: [1, 6] },
  'lose iq results': { target: 'link', seconds: [1, 4] },
  'delay iq results': { target: 'link', seconds: [1, 5] },
  'cut what goes to Redis': { target: 'redis link', seconds: [1, 1] },
  'cut what comes from Redis': { target: 'redis link', seconds: [1, 1] },
  'stall the link to Redis': { target: 'redis link', seconds: [0.5, 6] },
  'lose replies of Redis': { target: 'redis link', seconds: [0.3, 2] },
  'nodes refuse': { target: 'destinations', seconds: [1, 4] },
  'delete a node': { target: 'destinations', seconds: [1, 2] },
  'JIDs bounce': { target: 'destinations', seconds: [1, 4] },
  'destinations hang': { target: 'destinations', seconds: [1, 5] },
} as const satisfies Readonly<Record<string, { readonly target: string; readonly seconds: readonly [number, number] }>>

export type FaultKind = keyof typeof FAULTS

export interface PlannedFault {
  readonly kind: FaultKind
  /** Since the begin of the load. */
  readonly atMs: number
  readonly lastsMs: number
  /** 0 to 1: what else the fault needs to be decided. */
  readonly choice: number
}

/** 0 ≤ n < 1 */
export type Random = () => number

export interface Pace {
  /** Between two faults. */
  readonly gapSeconds: readonly [number, number]
  /** How much of the longest time that a fault may last is used. */
  readonly length: number
}

export const PACES = {
  steady: { gapSeconds: [0.3, 3], length: 1 },
  quick: { gapSeconds: [0.3, 1], length: 0.15 },
} as const satisfies Readonly<Record<string, Pace>>

export const FAULT_KINDS = Object.keys(FAULTS) as readonly FaultKind[]

/** Some faults begin before the one before has been healed. */
const OVERLAPPING = 0.25

/** Every kind once, in a random order, before any of them comes again. */
export function planFaults(
  count: number,
  random: Random,
  { gapSeconds, length }: Pace = PACES.steady,
  kinds = FAULT_KINDS,
): readonly PlannedFault[] {
  const faults: PlannedFault[] = []
  let deck: FaultKind[] = []
  let atMs = 1_500
  while (faults.length < count) {
    if (deck.length === 0) deck = shuffled(kinds, random)
    const kind = deck.pop()!
    const [least, most] = FAULTS[kind].seconds
    const lastsMs = between(least, least + (most - least) * length, random)
    faults.push({ kind, atMs, lastsMs, choice: random() })
    atMs += (random() < OVERLAPPING ? lastsMs / 2 : lastsMs) + between(...gapSeconds, random)
  }
  return faults
}

/** How long the load lasts: until a while after the last fault. */
export function loadMs(faults: readonly PlannedFault[]): number {
  return Math.max(3_000, ...faults.map(({ atMs, lastsMs }) => atMs + lastsMs + 1_500))
}

function between(leastSeconds: number, mostSeconds: number, random: Random): number {
  return Math.round(1_000 * (leastSeconds + (mostSeconds - leastSeconds) * random()))
}

export function shuffled<T>(list: readonly T[], random: Random): T[] {
  const rest = [...list]
  return list.map(() => rest.splice(Math.floor(random() * rest.length), 1)[0]!)
}
