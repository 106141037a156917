/** What one process tells of itself about once a second, for whoever watches. */
export interface ProcessFigures {
  /** Host, process id, and what no second process has. */
  readonly instance: string
  readonly domain: string
  /** Whether it holds the domain. */
  readonly role: 'holder' | 'standby'
  readonly version: string
  readonly sinceMs: number
  /** Over the last seconds. */
  readonly perSecond: Readonly<Record<Rate, number>>
  /** Over the last seconds; null where nothing happened. */
  readonly acceptMs: Latencies | null
  readonly deliveryMs: Latencies | null
  /** Heavy documents that wait to be checked or are checked. */
  readonly checking: number
  /** Processors in use: 1 is one of them. */
  readonly cpu: number
  readonly residentBytes: number
}

export type Rate = 'accepted' | 'duplicate' | 'rejected' | 'delivered' | 'dead' | 'attempts' | 'checked'

export interface Latencies {
  readonly p50: number
  readonly p99: number
}
