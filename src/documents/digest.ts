import { hash } from 'node:crypto'

/** SHA-256 in hex of bytes, or of text in UTF-8. */
export function sha256(data: string | Uint8Array): string {
  return hash('sha256', data)
}
