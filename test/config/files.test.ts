import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { formatProblem, loadConfiguration } from '../../src/config/configuration.ts'
import { type Files, load, loadSound, ORDER, WAYBILL, withFolder } from './folder.ts'

describe('files', () => {
  const policy = (name: string) => `kind: Policy\nname: ${name}`

  it('of the three folders are loaded where `load` is left out, below them too, hidden ones passed over', async () => {
    const { policies } = await loadSound({
      'waybill.yaml': WAYBILL,
      'types/a.yaml': policy('a'),
      'routes/deep/er/b.yml': policy('b'),
      'policies/c.YAML': policy('c'),
      'policies/.hidden.yaml': policy('d'),
      'policies/.git/e.yaml': policy('e'),
      'policies/notes.txt': policy('f'),
      'other/g.yaml': policy('g'),
    })
    expect([...policies.keys()].sort()).toEqual(['a', 'b', 'c', 'default'])
  })

  it('named twice are loaded once', async () => {
    const files = {
      'waybill.yaml': `${WAYBILL}load: [policies/, policies/a.yaml, ./policies]`,
      'policies/a.yaml': policy('a'),
    }
    const { policies } = await loadSound(files)
    expect([...policies.keys()]).toEqual(['default', 'a'])
  })

  it('may hold several documents, empty ones among them', async () => {
    const text = `---\n# nothing\n---\n${policy('a')}\n---\n${policy('b')}\n---\n`
    const { policies } = await loadSound({ 'waybill.yaml': WAYBILL, 'policies/a.yaml': text })
    expect([...policies.keys()]).toEqual(['default', 'a', 'b'])
  })

  it('of schemas are looked up beside the YAML file first, then in schemas/, then in the folder itself', async () => {
    const type = ORDER.replace('schema: none', 'schema: { xsd: b/o.xsd }')
    const base = { 'waybill.yaml': WAYBILL, 'types/t.yaml': type, 'b/o.xsd': '<a/>' }
    const where = async (files: Files) =>
      withFolder(files, async (folder) => {
        const { configuration } = await loadConfiguration(folder, {})
        const { file, folder: bundle } = configuration!.types[0]!.layers[0]!
        return [file.slice(folder.length + 1), bundle.slice(folder.length + 1)]
      })
    expect(await where(base)).toEqual(['b/o.xsd', 'b'])
    expect(await where({ ...base, 'schemas/b/o.xsd': '<a/>' })).toEqual(['schemas/b/o.xsd', 'schemas/b'])
    expect(await where({ ...base, 'schemas/b/o.xsd': '<a/>', 'types/b/o.xsd': '<a/>' })).toEqual([
      'types/b/o.xsd',
      'types/b',
    ])
  })

  it('of schemas that leave the folder through a link are refused', async () => {
    await withFolder({ 'elsewhere/o.xsd': '<a/>' }, (elsewhere) =>
      withFolder(
        { 'waybill.yaml': WAYBILL, 'types/t.yaml': ORDER.replace('none', '{ xsd: o.xsd }') },
        async (folder) => {
          await symlink(join(elsewhere, 'elsewhere/o.xsd'), join(folder, 'o.xsd'))
          const { problems } = await loadConfiguration(folder, {})
          expect(problems.map(({ code }) => code)).toEqual(['file-outside'])
        },
      ),
    )
  })

  it.each([
    ['a file outside', 'routes/p.yaml', '../../outside/r.yaml', 'file-outside'],
    ['a folder outside', 'routes/sub', '../../outside', 'file-outside'],
    ['a file of the system', 'routes/p.yaml', '/etc/passwd', 'file-outside'],
    ['a file outside by way of a link inside', 'routes/p.yaml', '../away/r.yaml', 'file-outside'],
    ['nothing', 'routes/p.yaml', 'gone.yaml', 'file-missing'],
    ['nothing, which may have been a folder', 'routes/sub', '../gone', 'file-missing'],
    ['itself', 'routes/p.yaml', 'p.yaml', 'file-unreadable'],
  ])('found by listing are refused where they are links to %s', async (_, link, target, code) => {
    const files = { 'outside/r.yaml': policy('r'), 'in/waybill.yaml': WAYBILL, 'in/routes/a.yaml': policy('a') }
    await withFolder(files, async (around) => {
      const folder = join(around, 'in')
      await symlink('../outside', join(folder, 'away'))
      await symlink(target, join(folder, link))
      const { configuration, problems } = await loadConfiguration(folder, {})
      expect(configuration).toBeUndefined()
      expect(problems).toMatchObject([{ code, file: link, line: 1, severity: 'error' }])
      expect(problems[0]!.message).toContain(`Cannot read ${link}: `)
    })
  })

  it('are read once through the links of a mounted ConfigMap, and through links within the folder', async () => {
    const files = {
      'waybill.yaml': WAYBILL,
      'policies/..2026_11_21/a.yaml': policy('a'),
      'policies/..2026_11_21/deep/b.yaml': policy('b'),
      'shared/c.yaml': policy('c'),
      'shared/notes.txt': 'no YAML',
    }
    await withFolder(files, async (folder) => {
      const link = (target: string, name: string) => symlink(target, join(folder, name))
      await link('..2026_11_21', 'policies/..data')
      await link('..data/a.yaml', 'policies/a.yaml')
      await link('..data/deep', 'policies/deep')
      await link('a.yaml', 'policies/again.yaml')
      await link('..', 'policies/round')
      await link('../shared', 'policies/shared')
      await mkdir(join(folder, 'routes'))
      await link('../shared/c.yaml', 'routes/c.yaml')
      await link('/etc/passwd', 'routes/notes.txt')
      const { configuration, problems } = await loadConfiguration(folder, {})
      expect(problems).toEqual([])
      expect([...configuration!.policies.keys()].sort()).toEqual(['a', 'b', 'c', 'default'])
    })
  })

  it.each([
    ['as a Secret is mounted', '..data/waybill.yaml'],
    ['out of the folder', '../outside/waybill.yaml'],
  ])('named by a waybill.yaml that is a link %s are those of its folder', async (_, target) => {
    const files = {
      'outside/waybill.yaml': WAYBILL,
      'outside/policies/p.yaml': policy('outside'),
      'in/..2026_11_21/waybill.yaml': WAYBILL,
      'in/policies/p.yaml': policy('p'),
    }
    await withFolder(files, async (around) => {
      await symlink('..2026_11_21', join(around, 'in/..data'))
      await symlink(target, join(around, 'in/waybill.yaml'))
      const { configuration, problems } = await loadConfiguration(join(around, 'in'), {})
      expect(problems).toEqual([])
      expect([...configuration!.policies.keys()].sort()).toEqual(['default', 'p'])
    })
  })

  it('that are not UTF-8 are refused', async () => {
    const { problems } = await load({ 'waybill.yaml': WAYBILL, 'types/a.yaml': new Uint8Array([0x61, 0xff, 0x62]) })
    expect(problems.map(formatProblem)).toEqual([
      'types/a.yaml:1:1  error  Cannot read types/a.yaml: it is not UTF-8 (file-unreadable)',
    ])
  })

  it('are missed by name: the folder', async () => {
    const { configuration, problems } = await loadConfiguration('/nowhere/at/all', {})
    expect(configuration).toBeUndefined()
    expect(problems.map(formatProblem)).toEqual([
      '.:1:1  error  Cannot read the configuration folder /nowhere/at/all: it does not exist (folder-missing)',
    ])
  })

  it('are missed by name: waybill.yaml', async () => {
    const { problems } = await load({ 'types/a.yaml': ORDER })
    expect(problems).toMatchObject([{ code: 'file-missing', file: 'waybill.yaml', severity: 'error' }])
  })

  it('that are folders are told from files', async () => {
    const { problems } = await load({ 'waybill.yaml/a': '' })
    expect(problems[0]).toMatchObject({ code: 'file-unreadable', message: expect.stringContaining('it is a folder') })
    await withFolder({ 'a.yaml': '' }, async (folder) => {
      const { problems: others } = await loadConfiguration(join(folder, 'a.yaml'), {})
      expect(others[0]).toMatchObject({ code: 'folder-missing', message: expect.stringContaining('not a folder') })
    })
  })
})
