import type { Name } from '../xsd/components.ts'
import { localNameOf, namespaceOfName } from '../xsd/symbols.ts'
import type { Sample } from './instances.ts'

const XSI = 'http://www.w3.org/2001/XMLSchema-instance'

/** The text of a sample document. All prefixes are declared on its root; names without namespace have none. */
export function writeSample(root: Sample): string {
  const prefixes = new Map<string, string>()
  gather(root, prefixes)
  const declarations = [...prefixes].map(([uri, prefix]) => ` xmlns:${prefix}="${escaped(uri)}"`).join('')
  return write(root, prefixes, declarations)
}

const XML = 'http://www.w3.org/XML/1998/namespace'

function gather({ name, attributes, children, type, nil }: Sample, prefixes: Map<string, string>): void {
  const names = [name, ...attributes.keys(), ...(type === undefined ? [] : [type])]
  for (const uri of [...names.map(namespaceOfName), ...(type !== undefined || nil ? [XSI] : [])]) {
    if (uri === '' || uri === XML || prefixes.has(uri)) continue
    prefixes.set(uri, uri === XSI ? 'xsi' : `n${prefixes.size + 1}`)
  }
  for (const child of children) if (typeof child === 'object') gather(child, prefixes)
}

function qualified(name: Name, prefixes: ReadonlyMap<string, string>): string {
  const uri = namespaceOfName(name)
  if (uri === '') return localNameOf(name)
  return `${uri === XML ? 'xml' : prefixes.get(uri)}:${localNameOf(name)}`
}

function write(sample: Sample, prefixes: ReadonlyMap<string, string>, declarations: string): string {
  const name = qualified(sample.name, prefixes)
  const attributes = [...sample.attributes].map(([one, value]) => ` ${qualified(one, prefixes)}="${escaped(value)}"`)
  if (sample.type !== undefined) attributes.push(` xsi:type="${qualified(sample.type, prefixes)}"`)
  if (sample.nil) attributes.push(' xsi:nil="true"')
  const content = sample.children.map((child) =>
    typeof child === 'string' ? escaped(child) : write(child, prefixes, ''),
  )
  const start = `<${name}${declarations}${attributes.join('')}`
  return content.length === 0 ? `${start}/>` : `${start}>${content.join('')}</${name}>`
}

const ESCAPED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"\t\n\r]/g, (character) => ESCAPED[character]!)
}
