import { describe, expect, it } from 'vitest'
import { runCommand } from '../../src/commands/program.ts'
import { withFolder } from '../config/folder.ts'
import { ORDER, order, WAYBILL } from './given.ts'

const FILES = {
  'waybill.yaml': WAYBILL,
  'types/order.yaml': ORDER,
  'routes/none.yaml': '',
  'order.xml': order('EUR', 1),
  'types/photo.yaml': 'kind: DocumentType\nname: photo\nidentify: { mediaType: image/png }\nschema: none\n',
  'photo.png': 'PNG',
}

async function run(...words: string[]) {
  return withFolder(FILES, async (folder) => {
    const said: string[] = []
    const say = (text: string) => void said.push(text)
    const placed = words.map((word) => word.replace('DIR', folder))
    const code = await runCommand(placed, { out: say, err: say })
    return { code, said: said.join('').replaceAll(folder, 'DIR') }
  })
}

describe('a file that a command can not open', () => {
  it.each([
    [
      ['explain', 'DIR', 'DIR/gone.xml', '--from', 'a@example.org'],
      'Cannot read DIR/gone.xml: there is no such file or folder',
    ],
    [['explain', 'DIR', 'DIR/types', '--from', 'a@example.org'], 'Cannot read DIR/types: it is a folder'],
    [['diff', 'DIR', 'DIR', '--documents', 'DIR/gone'], 'Cannot read DIR/gone: there is no such file or folder'],
    [['diff', 'DIR', 'DIR', '--documents', 'DIR/order.xml'], 'Cannot read DIR/order.xml: it is no folder'],
    [
      ['test', 'DIR', '--junit', 'DIR/gone/report.xml'],
      'Cannot write DIR/gone/report.xml: there is no such file or folder',
    ],
    [['schema', 'diff', 'DIR/gone.xsd', 'DIR/gone.xsd'], 'Cannot read DIR/gone.xsd: there is no such file or folder'],
  ])('is the environment, and told in words: %j', async (words, says) => {
    const { code, said } = await run(...words)
    expect(said).toContain(`${says}\n`)
    expect(code).toBe(3)
  })
})

describe('check', () => {
  it.each([
    [[], 0, 'fine: 2 document types, 0 routes, 1 warning\n'],
    [['--strict'], 1, 'fine but for warnings: 2 document types, 0 routes, 1 warning\n'],
  ])('says as its exit code does what it thinks of a warning: %j', async (options, code, says) => {
    const { code: given, said } = await run('check', 'DIR', ...options)
    expect({ code: given, last: said.split('\n').at(-2) }).toEqual({ code, last: says.trim() })
  })
})

describe('a command that there is none of', () => {
  it.each([
    [['chek', '--help'], "unknown command 'chek'\n(Did you mean check?)"],
    [['chek', '.', '-h'], "unknown command 'chek'\n(Did you mean check?)"],
    [['schema', 'dif', '--help'], "unknown command 'dif'\n(Did you mean diff?)"],
  ])('is told as such, with the nearest one, also where help is asked for: %j', async (words, says) => {
    const { code, said } = await run(...words)
    expect(said).toContain(says)
    expect(code).toBe(2)
  })

  it.each([[['check', '--help']], [['schema', 'diff', '--help']], [['help', 'check']], [['--help']]])(
    'is not what has help to give: %j',
    async (words) => {
      const { code, said } = await run(...words)
      expect(said).toContain('Usage: waybill')
      expect(code).toBe(0)
    },
  )
})

describe('a document of a type that is told by its media type', () => {
  it.each([
    [['--media-type', 'image/png'], 'type      photo', 0],
    [['--media-type', 'Image/PNG; q=1'], 'type      photo', 0],
    [['--media-type', 'image/gif'], 'document  image/gif', 0],
    [[], 'document  application/octet-stream', 0],
    [['--media-type', 'png'], 'It must be a media type, such as image/png.', 2],
  ])('is explained with %j', async (words, says, exitCode) => {
    const { code, said } = await run('explain', 'DIR', 'DIR/photo.png', '--from', 'a@example.org', ...words)
    expect(said).toContain(says)
    expect(code).toBe(exitCode)
  })

  it('is read by send likewise', async () => {
    const { code, said } = await run('send', 'DIR', 'DIR/photo.png', '--from', 'a@example.org', '--media-type', 'png')
    expect(said).toContain('It must be a media type, such as image/png.')
    expect(code).toBe(2)
  })
})
