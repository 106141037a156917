import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../', import.meta.url))
const pages = [
  'README.md',
  'CHANGELOG.md',
  ...['docs', 'deploy'].flatMap((folder) =>
    (readdirSync(join(root, folder), { recursive: true }) as string[])
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  ),
]

/** Lines outside of code blocks. */
function prose(page: string): readonly string[] {
  let code = false
  return readFileSync(join(root, page), 'utf8')
    .split('\n')
    .filter((line) => {
      const fence = /^\s*```/.test(line)
      if (fence) code = !code
      return !fence && !code
    })
}

/** The anchors that GitHub and its like make of headings. */
function anchorsOf(page: string): readonly string[] {
  return prose(page)
    .map((line) => /^#{1,6} (.+)$/.exec(line)?.[1])
    .filter((heading) => heading !== undefined)
    .map((heading) =>
      heading
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-'),
    )
}

function brokenLinks(page: string): readonly string[] {
  const links = prose(page).flatMap((line) => [...line.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!))
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false
    const [path, anchor] = link.split('#')
    const target = path ? join(dirname(page), path) : page
    if (!existsSync(join(root, target))) return true
    return anchor !== undefined && !anchorsOf(target).includes(anchor)
  })
}

describe('the pages', () => {
  it.each(pages)('%s leads to nothing that is not there', (page) => {
    expect(brokenLinks(page)).toEqual([])
  })

  it('number the sections of the protocol once each', () => {
    const numbers = prose('docs/protocol.md').flatMap((line) => /^#{2,3} ([\d.]+) /.exec(line)?.[1] ?? [])
    expect(numbers).toEqual([...new Set(numbers)])
  })
})

describe('the decisions', () => {
  const files = readdirSync(join(root, 'docs/adr'))

  it('are numbered from 1 on, each number once', () => {
    const numbers = files.map((name) => Number(name.slice(0, 4))).sort((a, b) => a - b)
    expect(numbers).toEqual(files.map((_, at) => at + 1))
  })

  it.each(files)('%s has its number in the heading', (name) => {
    expect(readFileSync(join(root, 'docs/adr', name), 'utf8')).toMatch(new RegExp(`^# ${name.slice(0, 4)}: `))
  })
})
