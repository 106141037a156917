import type { Content } from '../domain/document.ts'

/** XPath 1.0 over a document, with its answer as a boolean. Only asked of XML content. */
export type XPathTest = (content: Content) => boolean

/** How matching is given an XPath engine. An undeclared prefix is an error here, not later. */
export type CompileXPath = (
  expression: string,
  namespaces: Readonly<Record<string, string>>,
) => { readonly kind: 'ok'; readonly test: XPathTest } | { readonly kind: 'error'; readonly message: string }

/** `failed`: the engine gave up on this document. It is no yes. */
export type XPathAnswer =
  | { readonly kind: 'true' }
  | { readonly kind: 'false' }
  | { readonly kind: 'not-xml' }
  | { readonly kind: 'failed'; readonly message: string }

/** The same expression with the same namespaces is compiled once, so that its answer can be remembered. */
export function compileOnce(compileXPath: CompileXPath): CompileXPath {
  const known = new Map<string, ReturnType<CompileXPath>>()
  return (expression, namespaces) => {
    const key = JSON.stringify([expression, Object.entries(namespaces).sort()])
    const compiled = known.get(key) ?? compileXPath(expression, namespaces)
    known.set(key, compiled)
    return compiled
  }
}

/** Asks each test at most once of one content. */
export function askOnce(content: Content): (test: XPathTest) => XPathAnswer {
  if (content.kind !== 'xml') return () => ({ kind: 'not-xml' })
  const known = new Map<XPathTest, XPathAnswer>()
  return (test) => {
    const answer = known.get(test) ?? ask(test, content)
    known.set(test, answer)
    return answer
  }
}

function ask(test: XPathTest, content: Content): XPathAnswer {
  try {
    return { kind: test(content) ? 'true' : 'false' }
  } catch (error) {
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) }
  }
}
