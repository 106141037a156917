export interface StreamPiece {
  readonly kind: 'header' | 'stanza' | 'end'
  /** With what stood before it: whitespace between stanzas, the XML declaration. */
  readonly text: string
}

const TOKEN =
  /<!\[CDATA\[[\s\S]*?\]\]>|<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<(\/?)(?:[^<>"'/]|"[^"]*"|'[^']*'|\/(?!>))*(\/?)>/y

/**
 * Cuts a stream into its header, its children and its end, by counting tags: comments, CDATA and attribute values may hold
 * anything. Takes text as it comes and gives the pieces that are whole by then.
 */
export function createStreamCutter(): (text: string) => readonly StreamPiece[] {
  let text = ''
  let at = 0
  let depth = 0
  let isOpen = false
  return (more) => {
    text += more
    const pieces: StreamPiece[] = []
    const cut = (kind: StreamPiece['kind']) => {
      pieces.push({ kind, text: text.slice(0, at) })
      text = text.slice(at)
      at = 0
    }
    for (;;) {
      const tag = text.indexOf('<', at)
      if (tag < 0) return pieces
      TOKEN.lastIndex = tag
      const found = TOKEN.exec(text)
      if (!found) return pieces
      at = TOKEN.lastIndex
      if (found[1] === undefined) continue
      if (!isOpen) {
        isOpen = true
        cut('header')
        continue
      }
      if (found[1] === '/') depth--
      else if (found[2] !== '/') depth++
      if (depth === 0) cut('stanza')
      else if (depth < 0) cut('end')
    }
  }
}
