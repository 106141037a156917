import { describe, expect, it } from 'vitest'
import { createAlarm } from '../../src/flow/alarms.ts'

function alarmed() {
  const messages: string[] = []
  const counted: string[] = []
  const logged: string[] = []
  let atMs = 0
  const alarm = createAlarm(
    () => ['ops@example.org', 'night@example.org'],
    { notify: (jid, text) => void messages.push(`${jid}: ${text}`) },
    { alarm: (cause) => void counted.push(cause) },
    (level, event) => void logged.push(`${level} ${event}`),
    () => atMs,
  )
  return { alarm, messages, counted, logged, pass: (ms: number) => (atMs += ms) }
}

describe('an alarm', () => {
  it('reaches each configured JID as a readable message, the log and the metric', () => {
    const { alarm, messages, counted, logged } = alarmed()
    alarm('refused erp@example.org forbidden', 'gave up a delivery')
    expect(messages).toEqual([
      'ops@example.org: Waybill: gave up a delivery',
      'night@example.org: Waybill: gave up a delivery',
    ])
    expect(counted).toEqual(['refused'])
    expect(logged).toEqual(['error alarm'])
  })

  it('is not kept back for the time by which the clock is set back', () => {
    const { alarm, messages, pass } = alarmed()
    alarm('refused a', 'gave up a')
    pass(-3_600_000)
    alarm('refused a', 'gave up a')
    expect(messages).toHaveLength(4)
    alarm('refused a', 'gave up a')
    expect(messages).toHaveLength(4)
  })

  it('is one message per cause in five minutes; the next one tells how many were left out', () => {
    const { alarm, messages, counted, pass } = alarmed()
    for (let n = 0; n < 4; n++) alarm('refused a', 'gave up a')
    alarm('refused b', 'gave up b')
    expect(messages).toHaveLength(4)
    expect(counted).toHaveLength(5)
    pass(5 * 60_000)
    alarm('refused a', 'gave up a')
    expect(messages.at(-1)).toBe('night@example.org: Waybill: gave up a (and 3 more like this since the last message)')
  })
})
