import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { releaseTrees, type XmlContent } from '../../../src/documents/parsed.ts'
import { beginCounting } from '../../../src/documents/schematron/expression.ts'
import { buildTree } from '../../../src/documents/schematron/tree.ts'
import { xpath1 } from '../../../src/documents/schematron/xpath1.ts'
import { compileByLibxml2 } from '../../../src/documents/xpath.ts'
import { elementOf } from '../given.ts'

const namespaces = { a: 'urn:a', b: 'urn:b' }
const ROOT = elementOf(`<a:x xmlns:a="urn:a" xmlns:b="urn:b" id="1" b:id="2" xml:lang="en-GB">
  <a:y n="3">10</a:y><a:y>20<a:z/>5</a:y><b:y> 7 </b:y><plain>te xt</plain><a:y/><a:w><a:y n="9">8</a:y><a:y>10</a:y></a:w>
  <deep><deep n="1"><deep n="2">x</deep></deep><deep n="4">é𝄞y</deep></deep><n>1e3</n><n>-.5</n><n>0.00001</n></a:x>`)
const content: XmlContent = { kind: 'xml', root: ROOT }

afterAll(releaseTrees)
// As for each document: what was counted in the same process before is none of theirs.
beforeEach(beginCounting)

const PATHS =
  `/ //a:y //a:y[1] (//a:y)[1] //a:y[last()] //a:y[2]/@n //a:y[@n] //a:y[@n > 3] /a:x/*/a:y //deep//deep //deep/.. //deep[..//@n = 4]
//deep/ancestor::* //deep/ancestor-or-self::deep[1] //deep/ancestor::*[last()] //a:y/following-sibling::* //a:y/following-sibling::*[1] //a:w/preceding-sibling::a:y[1]
//a:w/preceding::* //a:z/following::* //a:z/preceding::* //a:z/following::a:y[2] //deep/preceding::node()[1] //@n //@* //@*[. = 1]/.. //@n/preceding::a:y
//a:y/text() //text()[normalize-space()] //node()[self::plain] //*[not(*)] //*[position() mod 2 = 1] //a:y[position() = last()] //a:y[count(preceding::a:y) = 1] //deep[deep[@n = 2]]
//a:y|//b:y //b:y|//a:y[1]|//a:y a:x/a:y self::node() . .. //comment() //processing-instruction() //a:* //b:*/@* //*[@b:id] /a:x/child::a:w/descendant::a:y /descendant::deep[2] //deep[1][@n] //deep[@n][1]
/a:x//a:y[1] //a:w//a:y //a:y[..//b:y] //*[name() = 'a:y'] //*[local-name() = 'y' and namespace-uri() = 'urn:b'] //*[lang('en')][1] //a:y[.>//b:y] id('1')`.split(
    /\s+(?=[/(.]|a:x|self|id)/,
  )

const VALUES =
  `1 + 1;2 - -3;7 div 2;1 div 0;-1 div 0;0 div 0;7 mod 3;-7 mod 3;5.5 mod 2;2 * 3;- 3;--3;number('x');number('');number(' 12 ');number('1e3');number(true());
1 = 1;1 != 2;'a' = 'a';'1' = 1;true() = 'x';true() = 0;'a' < 'b';'1' < '2';2 > '1';//a:y = 10;10 = //a:y;//a:y != 10;//a:y > 15;15 > //a:y;//a:y = //b:y;//a:y < //b:y;//a:y >= //a:y;//gone = //gone;//gone = false();//a:y = true();//a:y = '';
count(//a:y);sum(//a:y[number(.) = number(.)]);sum(//b:y);sum(//gone);sum(//plain);string(//a:y);string(//gone);string(1.0);string(0.1 + 0.2);string(1000000);string(1 div 3);string(-0);string(1 div 0);string(true());
concat('a', 1, true());starts-with('abc', 'ab');starts-with('abc', '');contains('abc', 'bc');contains('abc', '');substring-before('a-b-c', '-');substring-before('abc', 'x');substring-before('abc', '');substring-after('a-b-c', '-');substring-after('abc', 'x');substring-after('abc', '');
substring('12345', 2, 3);substring('12345', 2);substring('12345', 1.5, 2.6);substring('12345', 0, 3);substring('12345', 0 div 0, 3);substring('12345', 1, 0 div 0);substring('12345', -42, 1 div 0);substring('12345', -1 div 0, 1 div 0);substring('é𝄞yz', 2, 1);
string-length('é𝄞y');string-length('');normalize-space('  a  b\t c ');translate('bar', 'abc', 'AB');translate('--aaa--', 'abc-', 'ABC');translate('aab', 'aa', 'xy');
boolean(0);boolean('0');boolean(//gone);not(//a:y);floor(2.6);floor(-2.5);ceiling(2.1);ceiling(-2.5);round(2.5);round(-2.5);round(2.4);round(0 div 0);number(//n[2]);number(//n[3]);local-name(//@b:id);name(//@b:id);namespace-uri(//@b:id);local-name();name(/);local-name(//text());
1 or 0;1 and 0;0 or //gone;//a:y and 'x';1 < 2 = true();1 + 2 * 3;(1 + 2) * 3;1 - 1 - 1;8 div 4 div 2;count(//a:y | //b:y | //a:y);count(//a:y[1]) + 1;last() = 1`
    .split(';')
    .map((text) => text.trim())
    .filter((text) => text !== '' && !text.startsWith('last'))

describe('XPath 1.0 of rules gives what libxml2 gives', () => {
  it.each([...PATHS, ...VALUES])('%s', (text) => {
    const asked = xpath1.compile(text, { namespaces, variables: [] })
    const reference = compileByLibxml2(text, namespaces)
    if (reference.kind === 'error') throw new Error(reference.message)
    const expected = reference.xpath.answer(content)
    const document = buildTree(ROOT)
    if (typeof expected === 'object') {
      const strings = asked
        .nodes(document)
        .map((node) => xpath1.compile('string()', { namespaces, variables: [] }).string(node))
      return expect(strings).toEqual(expected)
    }
    const truth = typeof expected === 'number' ? expected !== 0 && !Number.isNaN(expected) : Boolean(expected)
    expect(asked.boolean(document)).toBe(truth)
    const inWords = compileByLibxml2(`string(${text})`, namespaces)
    if (inWords.kind === 'error') throw new Error(inWords.message)
    expect(asked.string(document)).toBe(inWords.xpath.answer(content))
  })
})

describe('what rules may say and routes may not', () => {
  it.each([
    ['$n + 1', '4'],
    ['$nodes[2]', '20 5'],
    ['count($nodes | //b:y)', '6'],
    ['$nodes[@n]/@n', '3'],
    ['string-length($text)', '2'],
    ['count(//a:y[. = $first])', '2'],
    ['count(//a:y[. = current()//b:y])', '0'],
  ])('%s is %s', (text, expected) => {
    const variables = (
      [
        ['n', '3'],
        ['text', "concat($n, 'x')"],
        ['nodes', '//a:y'],
        ['first', '$nodes[1]'],
      ] as const
    ).map(([name, select]) => ({ name, select, of: 'document' as const }))
    const asked = xpath1.compile(text, { namespaces, variables })
    expect(asked.string(buildTree(ROOT)).replace(/\s+/g, ' ').replace('205', '20 5')).toBe(expected)
  })

  it.each([
    ['$gone', 'there is no variable $gone here (column 1)'],
    ['//a:y[$n', 'there is no variable $n'],
    ['namespace::*', 'the axis `namespace` is not there'],
    ['document("x")', 'document() is no function of XPath 1.0'],
    ['current(1)', '"1" stands where ) should be'],
  ])('%s is refused: %s', (text, message) => {
    expect(() => xpath1.compile(text, { namespaces, variables: [] })).toThrow(message)
  })
})
