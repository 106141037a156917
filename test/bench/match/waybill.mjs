import { compileXPathTest } from '../../../dist/documents/documents.js'
import { compileRoutes } from '../../../dist/matching/matcher.js'

/**
 * Waybill's own index, as the process uses it.
 *
 * @typedef {import('../../../dist/matching/subject.js').Subject} Subject
 */

/**
 * @param {readonly import('../../../dist/domain/route.js').Route[]} routes
 */
export function compileWaybill(routes) {
  const { matcher, problems } = compileRoutes(routes, compileXPathTest)
  const error = problems.find(({ severity }) => severity === 'error')
  if (error !== undefined) throw new Error(`Cannot compile route ${error.route}: ${error.message}`)
  return matcher
}

/**
 * @param {import('../../../dist/domain/element.js').Element} root
 * @param {Readonly<Record<string, readonly string[]>>} fields
 * @returns {Subject}
 */
export function subjectOf(root, fields) {
  return {
    type: 'trade',
    mediaType: 'application/xml',
    fields,
    content: { kind: 'xml', root },
    origin: {
      from: 'sales@suppliers.example/desk',
      to: 'waybill.example.org',
      stanza: 'iq',
      stanzaId: 's1',
      node: '',
      item: '',
      headers: {},
      hops: 0,
    },
  }
}
