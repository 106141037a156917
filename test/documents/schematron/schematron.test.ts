import { describe, expect, it } from 'vitest'
import type { Finding } from '../../../src/domain/rejection.ts'
import { bundle, ORDER_XSD } from '../given.ts'
import { findingsOf, NAMESPACE, problemsOf, rulesLayer, schema } from './given.ts'

const ORDER = `<order xmlns="urn:order" currency="EUR">
  <id>7</id>
  <line unit="kg"><item>flour</item><quantity>3</quantity></line>
  <line><item>sugar</item><quantity>12</quantity></line>
</order>`

const BINDINGS = ['xslt', 'xpath', 'xslt2', 'xpath2', 'xslt3', 'xpath3', 'xpath31']
const rules = (findings: readonly Finding[]) => findings.map(({ rule }) => rule)
const pattern = (content: string) => `<pattern>${content}</pattern>`

describe('a finding of rules', () => {
  const UNIT = schema(
    pattern(
      `<rule context="o:line"><assert id="ORD-1" flag="fatal" see="https://example.org/ORD-1" test="@unit">The line for
        <value-of select="o:item"/> in <name path=".."/> needs a unit, which <name/> has not.</assert></rule>`,
    ),
  )

  it('says rule, test, flag, path, message, value and where to read more', async () => {
    expect(await findingsOf(rulesLayer(UNIT), ORDER)).toEqual([
      {
        layer: 'schematron',
        rule: 'ORD-1',
        severity: 'error',
        path: '/o:order/o:line[2]',
        message: 'The line for sugar in o:order needs a unit, which o:line has not.',
        test: '@unit',
        flag: 'fatal',
        see: 'https://example.org/ORD-1',
      },
    ])
  })

  it('says the line where the document came sealed, in any encoding', async () => {
    const [finding] = await findingsOf(rulesLayer(UNIT), `<?xml version="1.0"?>\n<!-- é -->\n${ORDER}`, 'sealed')
    expect(finding?.line).toBe(6)
  })

  it('says the value of an element or attribute, cut', async () => {
    const content = schema(
      pattern(
        '<rule context="o:item"><report test="true()">x</report></rule><rule context="@currency"><report test="true()">x</report></rule>',
      ),
    )
    const long = ORDER.replace('flour', 'f'.repeat(200))
    const findings = await findingsOf(rulesLayer(content), long)
    expect(findings.map(({ path, value }) => [path, value])).toEqual([
      ['/o:order/@currency', 'EUR'],
      ['/o:order/o:line[1]/o:item', 'f'.repeat(80)],
      ['/o:order/o:line[2]/o:item', 'sugar'],
    ])
  })

  it('looks where its subject is', async () => {
    const content = schema(
      pattern('<rule context="o:order"><assert subject="o:line[1]/@unit" test="false()">x</assert></rule>'),
    )
    expect(await findingsOf(rulesLayer(content), ORDER)).toMatchObject([
      { path: '/o:order/o:line[1]/@unit', value: 'kg' },
    ])
  })

  it('has its diagnostics in the message', async () => {
    const content = schema(
      `${pattern('<rule context="o:order"><assert diagnostics="d e" test="false()">No.</assert></rule>')}
       <diagnostics><diagnostic id="d">It is <value-of select="o:id"/>.</diagnostic><diagnostic id="e">Really.</diagnostic></diagnostics>`,
    )
    expect(await findingsOf(rulesLayer(content), ORDER)).toMatchObject([{ message: 'No. It is 7. Really.' }])
  })

  it.each([
    ['flag="fatal"', 'error', 'fatal'],
    ['flag="warning"', 'warning', 'warning'],
    ['role="warning"', 'warning', 'warning'],
    ['role="WARN"', 'warning', 'WARN'],
    ['role="information"', 'information', 'information'],
    ['role="info"', 'information', 'info'],
    ['role="error"', 'error', 'error'],
    ['role="anything"', 'error', 'anything'],
    ['flag="tested" role="warning"', 'warning', 'tested'],
    ['flag="fatal" role="warning"', 'error', 'fatal'],
    ['', 'error', undefined],
  ])('is as bad as %s says: %s', async (attributes, severity, flag) => {
    const content = schema(pattern(`<rule context="o:order"><assert ${attributes} test="false()">x</assert></rule>`))
    const [finding] = await findingsOf(rulesLayer(content), ORDER)
    expect([finding?.severity, finding?.flag]).toEqual([severity, flag])
  })

  it('is one of a thousand at most; the last says how many more', async () => {
    const many = `<order xmlns="urn:order" currency="EUR">${'<a/>'.repeat(1_100)}</order>`
    const content = schema(pattern('<rule context="o:a"><assert test="false()">x</assert></rule>'))
    const findings = await findingsOf(rulesLayer(content), many)
    expect(findings).toHaveLength(1_001)
    expect(findings.at(-1)).toMatchObject({ rule: 'more', message: '100 more findings; the first 1000 are told' })
  })
})

describe('rules fire as ISO Schematron says', () => {
  it.each(BINDINGS)('the first rule of a pattern that fits a node, in each pattern (%s)', async (binding) => {
    const content = schema(
      `<pattern><rule context="o:line[@unit]"><assert id="a" test="false()">x</assert></rule>
         <rule context="o:line"><assert id="b" test="false()">x</assert></rule>
         <rule context="*"><assert id="c" test="count(*) &lt; 3">x</assert></rule></pattern>
       <pattern><rule context="o:line"><assert id="d" test="@unit">x</assert></rule></pattern>`,
      `queryBinding="${binding}"`,
    )
    expect(rules(await findingsOf(rulesLayer(content), ORDER))).toEqual(['c', 'a', 'b', 'd'])
  })

  it.each([
    ['o:line', 2],
    ['//o:line', 2],
    ['/o:order/o:line', 2],
    ['/o:line', 0],
    ['/', 1],
    ['o:line[1]', 1],
    ['o:order/o:line[last()]', 1],
    ['o:line[o:quantity > 5]', 1],
    ['o:item | o:quantity', 4],
    ["o:item[. = 'a|b'] | o:id", 1],
    ['@unit', 1],
    ['o:line/@unit', 1],
    ['@*', 2],
    ['*', 8],
    ['o:*', 8],
    ['o:item/text()', 2],
    ['o:line//text()', 4],
    ['o:order//o:item', 2],
    ['line', 0],
    ['node()[self::o:id]', 1],
  ])('the context %s is %i nodes, in XPath 1 and in XPath 2', async (context, count) => {
    for (const binding of ['xslt', 'xslt2']) {
      const content = schema(
        pattern(`<rule context="${context.replace('>', '&gt;')}"><assert test="false()">x</assert></rule>`),
        `queryBinding="${binding}"`,
      )
      expect(await findingsOf(rulesLayer(content), ORDER), binding).toHaveLength(count)
    }
  })

  it.each(BINDINGS)(
    'variables reach as far as they stand, and the innermost hides the others (%s)',
    async (binding) => {
      const content = schema(
        `<let name="limit" value="10"/><let name="who" value="'schema'"/>
       <pattern><let name="who" value="'pattern'"/><let name="lines" value="//o:line"/>
         <rule context="o:line"><let name="much" value="o:quantity &gt; $limit"/><let name="name" value="concat($who, ':', o:item)"/>
           <report id="much" test="$much"><value-of select="$name"/> of <value-of select="count($lines)"/></report></rule></pattern>
       <pattern><rule context="o:order"><report id="who" test="$limit = 10"><value-of select="$who"/></report></rule></pattern>`,
        `queryBinding="${binding}"`,
      )
      const findings = await findingsOf(rulesLayer(content), ORDER)
      expect(findings.map(({ rule, message }) => [rule, message])).toEqual([
        ['much', 'pattern:sugar of 2'],
        ['who', 'schema'],
      ])
    },
  )

  it.each(['xslt', 'xslt2'])('current() is the node of the rule (%s)', async (binding) => {
    const content = schema(
      pattern('<rule context="o:line"><assert test="//o:line[o:item = current()/o:item][@unit]">x</assert></rule>'),
      `queryBinding="${binding}"`,
    )
    expect(await findingsOf(rulesLayer(content), ORDER)).toMatchObject([{ path: '/o:order/o:line[2]' }])
  })

  it('phases choose patterns, by the type or else by the schema', async () => {
    const one = (id: string) =>
      `<pattern id="${id}"><rule context="o:order"><assert id="${id}" test="$ok">x</assert></rule></pattern>`
    const text = schema(
      `<let name="ok" value="false()"/><phase id="p1"><active pattern="a"/></phase><phase id="p2"><active pattern="b"/><active pattern="c"/></phase>
       <phase id="p3"><let name="ok" value="true()"/><active pattern="a"/></phase>${one('a')}${one('b')}${one('c')}`,
      'queryBinding="xslt2" defaultPhase="p1"',
    )
    const found = async (phase: string) => rules(await findingsOf(rulesLayer(text, { phase }), ORDER))
    expect(await found('#DEFAULT')).toEqual(['a'])
    expect(await found('#ALL')).toEqual(['a', 'b', 'c'])
    expect(await found('p2')).toEqual(['b', 'c'])
    expect(await found('p3')).toEqual([])
  })

  it('abstract patterns are made concrete with their parameters, the longer name first', async () => {
    const content = schema(
      `<pattern abstract="true" id="needs"><param name="most" value="5"/>
         <rule context="$of"><assert id="n" test="$of-part and $part &lt;= $most">$part is not replaced in text</assert></rule></pattern>
       <pattern is-a="needs"><param name="of" value="o:line"/><param name="of-part" value="o:item"/><param name="part" value="o:quantity"/></pattern>
       <pattern is-a="needs"><param name="of" value="o:order"/><param name="of-part" value="o:gone"/><param name="part" value="o:id"/></pattern>`,
    )
    expect((await findingsOf(rulesLayer(content), ORDER)).map(({ path }) => path)).toEqual([
      '/o:order/o:line[2]',
      '/o:order',
    ])
  })

  it('rules extend abstract ones, of their pattern or of others, and those extend others', async () => {
    const content = schema(
      `<pattern><rule abstract="true" id="named"><assert id="named" test="o:gone">x</assert></rule>
         <rule abstract="true" id="sound"><extends rule="named"/><assert id="sound" test="false()">x</assert></rule></pattern>
       <pattern><rule context="o:order"><extends rule="sound"/><assert id="own" test="false()">x</assert></rule></pattern>`,
    )
    expect(rules(await findingsOf(rulesLayer(content), ORDER))).toEqual(['named', 'sound', 'own'])
  })

  it('files are put in where they are included, with their own places', async () => {
    const layer = rulesLayer({
      'main/rules.sch': schema('<include href="../parts/a%20pattern.sch"/><include href="all.sch#b"/>'),
      'parts/a pattern.sch': `<pattern ${NAMESPACE}><rule context="o:order"><extends href="../main/all.sch#r"/></rule></pattern>`,
      'main/all.sch': `<schema ${NAMESPACE}><pattern id="b"><rule context="o:id"><assert id="b" test="false()">x</assert></rule></pattern>
        <pattern><rule id="r" abstract="true"><assert id="r" test="false()">x</assert></rule></pattern></schema>`,
    })
    expect(rules(await findingsOf(layer, ORDER))).toEqual(['r', 'b'])
  })
})

describe('what can’t be evaluated is an error, not a pass', () => {
  it('a value that is none of its type', async () => {
    const content = schema(
      pattern('<rule context="o:item"><assert id="n" flag="warning" test="xs:decimal(.) &gt; 0">x</assert></rule>'),
    )
    const findings = await findingsOf(rulesLayer(content), ORDER)
    expect(findings).toHaveLength(2)
    expect(findings[0]).toMatchObject({
      rule: 'n',
      severity: 'error',
      path: '/o:order/o:line[1]/o:item',
      flag: 'warning',
    })
    expect(findings[0]?.message).toContain('Cannot evaluate xs:decimal(.) > 0: FORG0001')
  })

  it('rules that would take for ever', async () => {
    const many = `<order xmlns="urn:order" currency="EUR">${'<a/>'.repeat(1_500)}</order>`
    for (const binding of ['xslt', 'xslt2']) {
      const content = schema(
        pattern(
          '<rule context="o:a"><assert test="count(//o:a[count(//o:a[. = //o:b]) = 0]) &gt; 0">x</assert></rule>',
        ),
        `queryBinding="${binding}"`,
      )
      const findings = await findingsOf(rulesLayer(content), many)
      expect(findings.at(-1)).toMatchObject({ rule: 'too-costly', severity: 'error' })
    }
  }, 60_000)
})

describe('layers', () => {
  const XSD = bundle('xsd', { 'order.xsd': ORDER_XSD })
  const SUM = schema(
    pattern('<rule context="o:order"><assert id="sum" test="sum(o:line/o:quantity) &lt; 10">x</assert></rule>'),
  )

  it('are asked in turn, and rules only where the schema found no error', async () => {
    expect(rules(await findingsOf([XSD, rulesLayer(SUM)], ORDER))).toEqual(['sum'])
    const wrong = ORDER.replace('>12<', '>twelve<')
    expect(rules(await findingsOf([XSD, rulesLayer(SUM)], wrong))).toEqual(['cvc-datatype-valid.1.2.1'])
  })

  it('that warn let the document and the next layer pass', async () => {
    const warning = { ...XSD, onInvalid: 'warn' } as const
    const wrong = ORDER.replace('currency="EUR"', 'currency="Euro"')
    const findings = await findingsOf([warning, rulesLayer(SUM, { onInvalid: 'warn' })], wrong)
    expect(findings.map(({ rule, severity }) => [rule, severity])).toEqual([
      ['cvc-pattern-valid', 'warning'],
      ['sum', 'warning'],
    ])
  })
})

describe('rules that can’t be used are a problem of the configuration', () => {
  const rule = (content: string) => schema(pattern(`<rule context="o:order">${content}</rule>`))
  it.each<[string, string, string, string]>([
    ['an empty file', ' ', 'the file is empty', 'rules.sch:1:1'],
    ['no XML', '<schema', 'Cannot read the XML', 'rules.sch:1'],
    [
      'another vocabulary',
      '<schema xmlns="http://www.ascc.net/xml/schematron"/>',
      'it is no ISO Schematron',
      'rules.sch:1:1',
    ],
    ['no rule', schema(''), 'it accepts everything', 'rules.sch:1:1'],
    ['a rule that checks nothing', rule(''), 'it accepts everything', 'rules.sch:1:1'],
    [
      'an unknown language',
      schema(pattern('<rule context="o:order"><assert test="1"/></rule>'), 'queryBinding="xquery"'),
      'their queryBinding is xquery',
      'rules.sch:1:1',
    ],
    ['wrong XPath', rule('\n<assert test="o:line["/>'), 'Cannot compile the assert: XPST0003', 'rules.sch:4:1'],
    [
      'a prefix that nobody declared',
      rule('\n  <assert id="A" test="x:line"/>'),
      'Cannot compile A: XPST0081',
      'rules.sch:4:3',
    ],
    ['a variable that is not there', rule('\n<assert test="$gone"/>'), 'there is no variable $gone', 'rules.sch:4:1'],
    [
      'document()',
      rule('\n<assert test="document(\'a.xml\')/x"/>'),
      'there is no function document()',
      'rules.sch:4:1',
    ],
    ['doc()', rule('\n<assert test="doc(\'a.xml\')/x"/>'), 'there is no function doc()', 'rules.sch:4:1'],
    [
      'key()',
      rule('\n<assert test="key(\'a\', 1)"/>'),
      'there is no function key() with 2 arguments; those of XSLT',
      'rules.sch:4:1',
    ],
    [
      'a key of XSLT',
      schema('<xsl:key xmlns:xsl="http://www.w3.org/1999/XSL/Transform" name="a"/>'),
      '<xsl:key> needs XSLT',
      'rules.sch:3:1',
    ],
    [
      'a function of XSLT',
      schema('<xsl:function xmlns:xsl="http://www.w3.org/1999/XSL/Transform" name="a"/>'),
      '<xsl:function> needs XSLT',
      'rules.sch:3:1',
    ],
    [
      'a pattern that may take for ever',
      rule(`\n<assert test="replace(., '(a+)+$', '')"/>`),
      'repeats what is repeated',
      'rules.sch:4:1',
    ],
    [
      'a pattern that nobody can judge',
      rule(`\n<assert test="matches(., o:id)"/>`),
      'must be written as a literal',
      'rules.sch:4:1',
    ],
    [
      'an element that is not known',
      schema(`\n<patern/>${pattern('<rule context="/"><assert test="1"/></rule>')}`),
      '<patern> is not known',
      'rules.sch:4:1',
    ],
    [
      'an element that is not known in a rule',
      rule('\n<asert test="1"/><assert test="1"/>'),
      '<asert> is not known in a rule',
      'rules.sch:4:1',
    ],
    ['a test that is missing', rule('\n<assert/>'), 'an assert needs a test', 'rules.sch:4:1'],
    [
      'a context that is missing',
      schema(pattern('<rule><assert test="1"/></rule>')),
      'a rule needs a context',
      'rules.sch:3:10',
    ],
    [
      'an abstract pattern that is not there',
      schema('<pattern is-a="gone"/>'),
      'there is no abstract pattern gone',
      'rules.sch:3:1',
    ],
    [
      'an abstract rule that is not there',
      rule('\n<extends rule="gone"/>'),
      'there is no abstract rule gone',
      'rules.sch:4:1',
    ],
    [
      'a diagnostic that is not there',
      rule('\n<assert test="1" diagnostics="gone"/>'),
      'there is no diagnostic gone',
      'rules.sch:4:1',
    ],
    [
      'a phase of patterns that are not there',
      schema(
        `<phase id="p"><active pattern="gone"/></phase>${pattern('<rule context="/"><assert test="1"/></rule>')}`,
        'defaultPhase="p"',
      ),
      'there is no pattern gone',
      'rules.sch:3:1',
    ],
    [
      'a file that is not there',
      schema('<include href="gone.sch"/>'),
      'there is no file gone.sch in the bundle',
      'rules.sch:3:1',
    ],
    ['the network', schema('<include href="http://example.org/a.sch"/>'), 'never from the network', 'rules.sch:3:1'],
    ['a way out of the folder', schema('<include href="../../a.sch"/>'), 'it leads out of the bundle', 'rules.sch:3:1'],
    ['a file that includes itself', schema('<include href="rules.sch"/>'), 'includes itself', 'rules.sch:3:1'],
    [
      'other documents',
      schema('<pattern documents="x"><rule context="/"><assert test="1"/></rule></pattern>'),
      'only the one that came is looked at',
      'rules.sch:3:1',
    ],
    ['a DOCTYPE', `<!DOCTYPE a []>${schema('')}`, 'a DOCTYPE is not allowed', 'rules.sch:1'],
  ])('%s', async (_, content, message, at) => {
    const problems = await problemsOf(rulesLayer(content))
    expect(problems[0]).toMatchObject({ severity: 'error', message: expect.stringContaining(message) })
    expect(problems[0]?.at).toMatch(new RegExp(`^${at.replaceAll('.', '\\.')}(:|$)`))
  })

  it('all of them at once', async () => {
    const content = rule('<assert id="a" test="("/><assert id="b" test="gone()"/><let name="c" value="$d"/>')
    expect((await problemsOf(rulesLayer(content))).map(({ message }) => message.slice(0, 18))).toHaveLength(3)
  })

  it('a phase that is not there', async () => {
    const layer = rulesLayer(rule('<assert test="1"/>'), { phase: 'gone' })
    expect(await problemsOf(layer)).toMatchObject([
      { message: 'Cannot read the schema: there is no phase gone (known: none)' },
    ])
  })

  it('in XPath 1 too, in its own words', async () => {
    const content = schema(pattern('<rule context="o:order"><assert test="exists(o:line)"/></rule>'), '')
    expect(await problemsOf(rulesLayer(content))).toMatchObject([
      { message: expect.stringContaining('exists() is no function of XPath 1.0') },
    ])
  })
})

it('many rules are compiled in slices: what a running process has in hand has its turn between', async () => {
  const asserts = Array.from(
    { length: 500 },
    (_, at) => `<assert test="count(//o:a${at}[@b = ${at}]) = ${at}">x</assert>`,
  )
  const layer = rulesLayer(schema(pattern(`<rule context="o:order">${asserts.join('')}</rule>`)))
  let turns = 0
  let isDone = false
  const count = () => {
    turns += 1
    if (!isDone) setImmediate(count)
  }
  setImmediate(count)
  expect(await problemsOf(layer)).toEqual([])
  isDone = true
  expect(turns).toBeGreaterThan(2)
})
