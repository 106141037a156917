import type { Element } from '../../src/domain/element.ts'
import type { Rejection } from '../../src/domain/rejection.ts'
import { createStreamParser, type StanzaLimits, type StreamFault } from '../../src/xmpp/parser.ts'

export const HEADER = `<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='s1' from='waybill.example.test'>`

export interface ReadStream {
  readonly headers: Element[]
  readonly children: Element[]
  /** Reasons of those children that were skipped. */
  readonly excesses: Rejection[]
  readonly faults: StreamFault[]
  closed: number
}

/** What the parser makes of a stream that comes in these pieces. */
export function readStream(pieces: readonly string[], limits: Partial<StanzaLimits> = {}): ReadStream {
  const read: ReadStream = { headers: [], children: [], excesses: [], faults: [], closed: 0 }
  const parser = createStreamParser(
    { bytes: 100_000, depth: 100, attributes: 100, ...limits },
    {
      opened: (header) => read.headers.push(header),
      child(element, excess) {
        read.children.push(element)
        if (excess) read.excesses.push(excess)
      },
      closed() {
        read.closed += 1
      },
      failed: (fault) => read.faults.push(fault),
    },
  )
  for (const piece of pieces) parser.write(piece)
  return read
}

/** The one child of a stream. */
export function child(xml: string, header = HEADER): Element {
  const { children, faults } = readStream([header, xml], { bytes: 10_000_000, depth: 10_000 })
  if (children.length !== 1 || faults.length > 0) throw new Error(`Cannot read ${xml}: ${JSON.stringify(faults)}`)
  return children[0]!
}

/** A tree without prefixes and declarations: what names mean. */
export function meaning(of: Element): unknown {
  const attributes = of.attributes.map(({ name, uri, value }) => `{${uri}}${name}=${value}`).sort()
  return [
    `{${of.uri}}${of.name}`,
    attributes,
    of.children.map((node) => (typeof node === 'string' ? node : meaning(node))),
  ]
}
