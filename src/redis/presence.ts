import type { Call } from './calls.ts'

/** What a process says of itself to the others of its installation. */
export interface ProcessState {
  /** Domains that it holds. */
  readonly holds: readonly string[]
  /** Digest of the configuration in force. */
  readonly inForce: string
  /** Digest of the next one, which it could take over at any time; where there is none, that in force. */
  readonly ready: string
}

export interface LivingProcess extends ProcessState {
  readonly instance: string
}

/** The processes of an installation, as they tell each other that they live. Throws {@link StoreUnavailable}. */
export interface Presence {
  /** Says it for the next {@link PRESENT_MS}, and gives all that live, itself included. */
  announce(state: ProcessState): Promise<readonly LivingProcess[]>
  leave(): Promise<void>
  /** Without saying anything of oneself. */
  living(): Promise<readonly LivingProcess[]>
}

/** As long as a lease, so that a process that has died is gone from the list when its domains are free. */
const PRESENT_MS = 8_000

export function createPresence(call: Call, instance: string): Presence {
  const say = async (lengthMs: number, text: string): Promise<readonly LivingProcess[]> => {
    const reply = (await call('announce', [instance, lengthMs, text], { repeatable: true })) as readonly Buffer[]
    return reply.flatMap((name, at) => (at % 2 === 0 ? [parseProcess(String(name), String(reply[at + 1]))] : []))
  }
  return {
    announce: (state) => say(PRESENT_MS, JSON.stringify(state)),
    async leave() {
      await say(0, '')
    },
    living: () => say(0, ''),
  }
}

function parseProcess(instance: string, text: string): LivingProcess {
  return { instance, ...(JSON.parse(text) as ProcessState) }
}
