import type { Output } from '../../src/commands/output.ts'

/** An output that keeps what is said. */
export function keptOutput(format: Output['format'] = 'table') {
  const printed: string[] = []
  const complained: string[] = []
  const output: Output = { format, print: (text) => printed.push(text), complain: (text) => complained.push(text) }
  return {
    output,
    complained,
    text: () => printed.join('\n'),
    json: () => JSON.parse(printed.join('\n')) as never,
  }
}

export const WAYBILL = `
xmpp: { domain: waybill.example.org, host: example.org, secret: s3cr3t-0 }
senders: ["*@example.org"]
`

export const ORDER = `kind: DocumentType
name: order
identify: { xml: { root: order } }
schema: none
fields:
  currency: { xpath: /order/currency }
  total: { xpath: /order/total, as: number }
`

export const order = (currency: string, total: number) =>
  `<order><currency>${currency}</currency><total>${total}</total></order>`
