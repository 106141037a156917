import { escapeAttribute, escapeText } from '../../domain/serialise.ts'

/** An element of the XML syntax. */
export interface RngNode {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly (RngNode | string)[]
  /** Where it stands in the compact syntax. */
  readonly line: number
}

export function node(
  name: string,
  { line }: { readonly line: number },
  attributes: Readonly<Record<string, string>> = {},
  children: readonly (RngNode | string)[] = [],
): RngNode {
  return { name, attributes, children, line }
}

/** The XML syntax as text, with each element on the line where it stands in the compact one, so that errors are told there. */
export function writeRng(root: RngNode): string {
  const written = { text: '', line: 1 }
  write(root, written)
  return `${written.text}\n`
}

function write({ name, attributes, children, line }: RngNode, written: { text: string; line: number }): void {
  if (line > written.line) {
    written.text += '\n'.repeat(line - written.line)
    written.line = line
  }
  const list = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeAttribute(value)}"`)
  written.text += `<${name}${list.join('')}>`
  for (const child of children) {
    if (typeof child !== 'string') {
      write(child, written)
      continue
    }
    written.text += escapeText(child)
    written.line += child.split('\n').length - 1
  }
  written.text += `</${name}>`
}
