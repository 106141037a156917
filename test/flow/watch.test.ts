import { describe, expect, it } from 'vitest'
import type { OpenBreaker } from '../../src/domain/breaker.ts'
import type { AttemptOutcome } from '../../src/domain/delivery.ts'
import { type Answer, defaultPolicy } from '../../src/domain/retry.ts'
import { createWatch } from '../../src/flow/breakers.ts'
import { type Breakers, type KnownBreaker, type StartedAttempt, StoreUnavailable } from '../../src/flow/ports.ts'

const away: Answer = { condition: 'remote-server-not-found', type: 'cancel', text: 'nobody is there' }
const gone: Answer = { condition: 'gone', type: 'cancel', text: 'moved' }
const MAX_MS = 60_000

const known: OpenBreaker = {
  kind: 'open',
  sinceMs: 0,
  failedAtMs: 0,
  condition: away.condition,
  text: away.text,
  probes: 3,
  nextProbeMs: 0,
  firstMs: 1_000,
  maxMs: MAX_MS,
  late: false,
}

/** A watch whose store says what it is told to, and writes down what it is asked. */
function watching(failures = 3) {
  const state = { nowMs: 0, held: true, asked: [] as string[] }
  const say = (what: string) => void state.asked.push(what)
  const store = {
    keepOpen: async (entries: Parameters<Breakers['keepOpen']>[0]) =>
      say(`keep ${entries.map(({ destination }) => destination).join()}`),
    letGo: async (destination: string): ReturnType<Breakers['letGo']> => {
      say(`let go ${destination}`)
      return { ids: [], more: false }
    },
    probes: async (destinations: readonly string[]): ReturnType<Breakers['probes']> => {
      say(`probe ${destinations.length} from ${destinations[0]}`)
      return destinations.map((destination) => `probe of ${destination}`)
    },
    lapse: async (): ReturnType<Breakers['lapse']> => {
      say('lapse')
      return []
    },
    openBreakers: async (): Promise<readonly KnownBreaker[]> => [],
    openDestinations: async () => [],
  }
  const watch = createWatch({
    store,
    lease: {
      get held() {
        return state.held
      },
    },
    policies: () => new Map([['default', { ...defaultPolicy, breaker: { failures, firstMs: 1_000, maxMs: MAX_MS } }]]),
    metrics: { breaker: () => {}, ended: () => {} },
    alarm: () => {},
    now: () => state.nowMs,
    log: () => {},
    random: () => 0.5,
    wake: () => {},
  })
  const attempt = (jid: string, id: string) =>
    ({ id, destination: { kind: 'jid', jid }, options: { retry: 'default' } }) as unknown as StartedAttempt
  const hear = (jid: string, outcome: AttemptOutcome, id = `to ${jid}`) => watch.heard(attempt(jid, id), outcome)
  const fail = (jid: string, times = failures) => {
    for (let time = 0; time < times; time++) hear(jid, { kind: 'refused', answer: away }, `${time}`)
  }
  const answer = (jid: string) => hear(jid, { kind: 'delivered', proof: 'result' })
  return { state, store, watch, hear, fail, answer, open: () => [...watch.open.keys()].join() }
}

/** All that follows by itself. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('what an earlier process knew', () => {
  it('takes the place of what this one did', async () => {
    const { watch, fail, open, store } = watching()
    fail('a@x.example')
    store.openBreakers = async () => [{ destination: 'b@x.example', breaker: known }]
    await watch.takeUp()
    expect(open()).toBe('b@x.example')
  })

  it('is probed in a time of ours, whatever its clock said', async () => {
    const { watch, state, store } = watching()
    store.openBreakers = async () => [{ destination: 'a@x.example', breaker: { ...known, nextProbeMs: 36_000_000 } }]
    await watch.takeUp()
    state.nowMs = MAX_MS
    await watch.probe(async (ids) => ids)
    expect(state.asked).toEqual(['probe 1 from a@x.example'])
  })

  it('is let go where no policy opens anything any more', async () => {
    const { watch, state, store, open } = watching(0)
    store.openBreakers = async () => [{ destination: 'a@x.example', breaker: known }]
    await watch.takeUp()
    await watch.tend()
    expect({ open: open(), asked: state.asked }).toEqual({ open: '', asked: ['let go a@x.example'] })
  })
})

describe('a look at what Redis holds open', () => {
  it('does not open again what has answered since the question', async () => {
    const { watch, state, store, fail, answer, open } = watching()
    fail('a@x.example')
    await watch.tend()
    state.nowMs = MAX_MS
    let tell = (_: readonly KnownBreaker[]) => {}
    store.openBreakers = () => new Promise((resolve) => (tell = resolve))
    const looked = watch.tend()
    await settled()
    answer('a@x.example')
    tell([{ destination: 'a@x.example', breaker: known }])
    await looked
    expect(open()).toBe('')
  })

  it('does not open again what is being let go', async () => {
    const { watch, state, store, fail, answer, open } = watching()
    for (const jid of ['a@x.example', 'b@x.example']) fail(jid)
    await settled()
    let lapsed = () => {}
    store.lapse = () => new Promise((resolve) => (lapsed = () => resolve([])))
    store.letGo = () => new Promise(() => {})
    const names = ['a@x.example', 'b@x.example']
    store.openBreakers = async () => names.map((destination) => ({ destination, breaker: known }))
    state.nowMs = MAX_MS
    const looked = watch.tend()
    await settled()
    answer('a@x.example')
    lapsed()
    await looked
    expect(open()).toBe('b@x.example')
  })
})

describe('what is known here', () => {
  it('is written down again where Redis was away', async () => {
    const { watch, state, store, fail } = watching()
    const { keepOpen } = store
    store.keepOpen = () => Promise.reject(new StoreUnavailable('away'))
    fail('a@x.example')
    await settled()
    store.keepOpen = keepOpen
    await watch.tend()
    expect(state.asked[0]).toBe('keep a@x.example')
  })

  it('is not written down without the lease of the domain', async () => {
    const { state, fail } = watching()
    state.held = false
    fail('a@x.example')
    await settled()
    expect(state.asked).toEqual([])
  })

  it('is not let go any more when the lease is lost in between', async () => {
    const { state, store, fail, answer } = watching()
    fail('a@x.example')
    await settled()
    const { letGo } = store
    store.letGo = async (destination) => {
      await letGo(destination)
      state.held = false
      return { ids: [], more: true }
    }
    answer('a@x.example')
    await settled()
    expect(state.asked).toEqual(['keep a@x.example', 'let go a@x.example'])
  })

  it('lets nothing be given up when the lease is lost while it is written down', async () => {
    const { watch, state, store, fail } = watching()
    store.keepOpen = () => Promise.reject(new StoreUnavailable('away'))
    fail('a@x.example')
    await settled()
    store.keepOpen = async () => {
      state.held = false
    }
    await watch.tend()
    expect(state.asked).toEqual([])
  })

  it('stays open where it fails again while it is let go', async () => {
    const { state, store, fail, answer, open } = watching()
    fail('a@x.example')
    await settled()
    let go = () => {}
    store.letGo = (destination) => {
      state.asked.push(`let go ${destination}`)
      return new Promise((resolve) => (go = () => resolve({ ids: [], more: true })))
    }
    answer('a@x.example')
    await settled()
    fail('a@x.example')
    go()
    await settled()
    expect(open()).toBe('a@x.example')
    expect(state.asked.filter((asked) => asked === 'let go a@x.example')).toHaveLength(1)
  })

  it('is let go one destination after the other', async () => {
    const { state, store, fail, answer } = watching()
    for (const jid of ['a@x.example', 'b@x.example']) fail(jid)
    await settled()
    store.letGo = (destination) => {
      state.asked.push(`let go ${destination}`)
      return new Promise(() => {})
    }
    for (const jid of ['a@x.example', 'b@x.example']) answer(jid)
    await settled()
    expect(state.asked.filter((asked) => asked.startsWith('let go'))).toEqual(['let go a@x.example'])
  })

  it('is forgotten an hour after its last failure where nothing waits, however long it has been open', async () => {
    const { watch, state, store, fail, open } = watching()
    fail('a@x.example')
    store.probes = async () => [undefined]
    state.nowMs = 3_000_000
    fail('a@x.example', 1)
    state.nowMs = 3_700_000
    await watch.probe(async () => [])
    expect(open()).toBe('a@x.example')
    state.nowMs = 6_700_000
    await watch.probe(async () => [])
    expect(open()).toBe('')
  })

  it('are the last ten thousand that failed and are not open', () => {
    const { hear, fail, open } = watching(2)
    const failAgain = (jid: string) => hear(jid, { kind: 'refused', answer: away }, 'another')
    fail('first@x.example', 1)
    for (let n = 0; n < 10_000; n++) fail(`u${n}@x.example`, 1)
    failAgain('first@x.example')
    expect(open()).toBe('')
    failAgain('u9999@x.example')
    expect(open()).toBe('u9999@x.example')
  })
})

describe('a probe', () => {
  it.each<[string, (ids: readonly string[]) => Promise<readonly string[]>]>([
    ['was not begun', async () => []],
    ['could not be begun', () => Promise.reject(new StoreUnavailable('away'))],
  ])('that %s is followed by another', async (_, start) => {
    const { watch, state, fail } = watching()
    fail('a@x.example')
    await settled()
    state.asked.length = 0
    state.nowMs = 2_000
    await watch.probe(start)
    await watch.probe(async (ids) => ids)
    await watch.probe(async (ids) => ids)
    expect(state.asked).toEqual(['probe 1 from a@x.example', 'probe 1 from a@x.example'])
  })

  it('is of a hundred destinations at once, of those first that have waited for the longest', async () => {
    const { watch, state, fail } = watching()
    for (let n = 0; n < 150; n++) {
      state.nowMs = 1_000 - n
      fail(`u${n}@x.example`)
    }
    await settled()
    state.asked.length = 0
    state.nowMs = 10_000
    await watch.probe(async (ids) => ids)
    await watch.probe(async (ids) => ids)
    expect(state.asked).toEqual(['probe 100 from u149@x.example', 'probe 50 from u49@x.example'])
  })
})

it('bounces that no other try can cure say nothing of the destination', () => {
  const { watch, open } = watching()
  for (const id of ['1', '2', '3']) watch.bounced({ id, retry: 'default' }, 'a@x.example', gone)
  expect(open()).toBe('')
  for (const id of ['1', '2', '3']) watch.bounced({ id, retry: 'default' }, 'a@x.example', away)
  expect(open()).toBe('a@x.example')
})
