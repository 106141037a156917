/**
 * Part of what a peer sent as it may stand in an answer: cut, and with characters that XML can't hold (JSON can) made visible as
 * U+FFFD, since one of them in an error stanza would close the stream for everybody.
 */
export function shown(text: string, length = 80): string {
  const cut = text.length > length ? text.slice(0, length) : text
  // A cut can halve a surrogate pair, too.
  return cut.replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
}
