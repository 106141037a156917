import { compileXPathTest } from '../../src/documents/documents.ts'
import type { Origin } from '../../src/domain/document.ts'
import type { Conditions, DestinationTemplate, Route, ValueCondition } from '../../src/domain/route.ts'
import type { Subject } from '../../src/matching/subject.ts'
import type { CompileXPath } from '../../src/matching/xpath.ts'

export function originOf(some: Partial<Origin> = {}): Origin {
  return {
    from: 'a@suppliers.example/desk',
    to: 'waybill.example.org',
    stanza: 'iq',
    stanzaId: 's1',
    node: '',
    item: '',
    headers: {},
    hops: 0,
    ...some,
  }
}

export function subjectOf(some: Partial<Omit<Subject, 'origin'>> & { origin?: Partial<Origin> } = {}): Subject {
  return {
    type: 'invoice',
    typeKey: some.type ?? 'invoice',
    mediaType: 'application/xml',
    fields: {},
    content: {
      kind: 'xml',
      root: { name: 'Invoice', uri: '', prefix: '', attributes: [], namespaces: null, children: [] },
    },
    ...some,
    origin: originOf(some.origin),
  }
}

export function whenOf(some: Partial<Conditions> = {}): Conditions {
  return { namespaces: {}, ...some }
}

export function is(...values: readonly (string | number | boolean | null)[]): readonly ValueCondition[] {
  return values.map((value) => ({ kind: 'is', value }))
}

const OPTIONS = {
  allow: undefined,
  confirm: 'none',
  confirmTimeoutMs: 30_000,
  retry: 'default',
  as: undefined,
  body: undefined,
  create: undefined,
  maxNodes: 1000,
} as const

export function toNode(
  node: string,
  some: Partial<DestinationTemplate> = {},
  service = 'p.example',
): DestinationTemplate {
  return { ...OPTIONS, target: { kind: 'node', service, node }, ...some }
}

export function toJid(jid: string, some: Partial<DestinationTemplate> = {}): DestinationTemplate {
  return { ...OPTIONS, target: { kind: 'jid', jid }, ...some }
}

export function routeOf(name: string, some: Partial<Omit<Route, 'when'>> & { when?: Partial<Conditions> } = {}): Route {
  return {
    name,
    owner: undefined,
    priority: 0,
    stop: false,
    otherwise: false,
    deliver: [toJid(`${name}@example.org`)],
    order: { by: 'none' },
    expiresMs: undefined,
    tests: [],
    source: `routes/${name}.yaml:1:1`,
    ...some,
    when: whenOf(some.when),
  }
}

/** The XPath of the documents room, but that an expression with `id('throw')` in it gives up on every document. */
export const xpathEngine: CompileXPath = (expression, namespaces) => {
  const compiled = compileXPathTest(expression, namespaces)
  if (compiled.kind === 'error' || !expression.includes("id('throw')")) return compiled
  return {
    kind: 'ok',
    test() {
      throw new Error('too many nodes')
    },
  }
}
