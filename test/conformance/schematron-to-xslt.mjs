// Schematron as the XSLT that it is defined by, for the conformance suite: what Saxon makes of the rules is the measure of what
// Waybill makes of them. Knows what the suite's rules need: patterns, rules, let, assert and report.

/** @typedef {{ name: string, attributes: { name: string, value: string }[], children: (Element | string)[] }} Element */

/** @param {Element} element @param {string} name */
const named = (element, name) =>
  /** @type {Element[]} */ (element.children.filter((child) => typeof child !== 'string' && child.name === name))

/** @param {Element} element @param {string} name */
const attribute = (element, name) => element.attributes.find((one) => one.name === name)?.value ?? ''

/** @param {string} text */
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

/** @param {Element} schema */
export function stylesheetOf(schema) {
  const namespaces = named(schema, 'ns').map(
    (ns) => ` xmlns:${attribute(ns, 'prefix')}="${escaped(attribute(ns, 'uri'))}"`,
  )
  const patterns = named(schema, 'pattern')
  const declared = new Set(['xsl', 'xs', ...named(schema, 'ns').map((ns) => attribute(ns, 'prefix'))])
  const xs =
    declared.size > 0 && namespaces.some((one) => one.startsWith(' xmlns:xs='))
      ? ''
      : ' xmlns:xs="http://www.w3.org/2001/XMLSchema"'
  return `<xsl:stylesheet version="3.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"${xs}${namespaces.join('')}>
${named(schema, 'let').map(variable).join('')}
<xsl:template match="/"><findings>${patterns.map((_, at) => `<xsl:apply-templates select="/" mode="p${at}"/>`).join('')}</findings></xsl:template>
${patterns.map(patternTemplates).join('\n')}
</xsl:stylesheet>`
}

/** @param {Element} element */
const variable = (element) =>
  `<xsl:variable name="${attribute(element, 'name')}" select="${escaped(attribute(element, 'value'))}"/>`

/** The first rule that fits has the highest priority. @param {Element} pattern @param {number} at */
function patternTemplates(pattern, at) {
  const walk = `<xsl:apply-templates select="@*|node()" mode="p${at}"/>`
  const rules = named(pattern, 'rule').map((rule, n) => {
    const context = escaped(attribute(rule, 'context'))
    const checks = [...named(rule, 'assert'), ...named(rule, 'report')]
      .map((check) => checkOf(check, named(rule, 'let')))
      .join('')
    return `<xsl:template match="${context}" priority="${1_000 - n}" mode="p${at}">${checks}${walk}</xsl:template>`
  })
  return `${rules.join('\n')}<xsl:template match="node()|@*|/" priority="-1" mode="p${at}">${walk}</xsl:template>`
}

/** What can't be evaluated is a finding too. @param {Element} check @param {readonly Element[]} lets */
function checkOf(check, lets) {
  const test = escaped(attribute(check, 'test'))
  const rule = escaped(attribute(check, 'id'))
  const holds = check.name === 'assert' ? `not(${test})` : test
  const finding = `<finding rule="${rule}"/>`
  return `<xsl:try>${lets.map(variable).join('')}<xsl:if test="${holds}">${finding}</xsl:if><xsl:catch>${finding}</xsl:catch></xsl:try>`
}
