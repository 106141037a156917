/** More to read for a server that would otherwise not read to the end of what it has. */
export interface Nudge {
  /** A stanza of that length was written, at that place. */
  wrote(length: number, place: number): void
  stop(): void
}

export interface NudgeOptions {
  /** The place up to which the server is known to have read. */
  readonly had: () => number
  readonly write: (text: string) => void
  /** How long a server may take before it is nudged: 1 s by default. */
  readonly afterMs?: number
}

/** What is shorter is read with the next ping. In units of UTF-16, as all lengths here. */
const LONG = 1_024
/** No tag is longer that anybody means. */
const MOST = 262_144
/** Of the same stanza: what it is the first time is not told, and after three times it is something else. */
const TIMES = 3

/**
 * Expat from 2.6 on looks at a tag that came in pieces only when as much again has come, and Prosody, on Debian 13, doesn't tell it otherwise:
 * a stanza that is little but one long tag stands there, and all that comes behind it, for as long as nobody writes much. White space between
 * stanzas means nothing (RFC 6120 4.6.1), and is more to read: as much of it as the longest stanza that the server may stand before.
 */
export function createNudge({ had, write, afterMs = 1_000 }: NudgeOptions): Nudge {
  let longest = 0
  let latest = 0
  let watched = 0
  let times = 0
  let timer: NodeJS.Timeout | undefined

  function watch(): void {
    watched = latest
    times = 0
    timer = setTimeout(look, afterMs)
  }

  function look(): void {
    timer = undefined
    if (had() >= watched || times === TIMES) {
      const isAll = latest === watched
      if (isAll) longest = 0
      else watch()
      return
    }
    times += 1
    write(' '.repeat(Math.min(longest, MOST)))
    timer = setTimeout(look, afterMs)
  }

  return {
    wrote(length, place) {
      if (length < LONG) return
      longest = Math.max(longest, length)
      latest = place
      if (timer === undefined) watch()
    },
    stop() {
      clearTimeout(timer)
      timer = undefined
      longest = 0
    },
  }
}
