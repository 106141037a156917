import { describe, expect, it } from 'vitest'
import { assembled } from '../../src/commands/assembled.ts'
import { settingsOf } from '../../src/commands/settings-of.ts'
import { withFolder } from '../config/folder.ts'
import { keptOutput, WAYBILL } from './given.ts'

const BROKEN_ROUTE = { 'routes/routes.yaml': 'kind: Route\nname: r\nwen: {}\ndeliver: []\n' }

describe('the settings for looking into Redis', () => {
  it('are there with a mistake in a route, with which nothing can be matched', async () => {
    await withFolder({ 'waybill.yaml': WAYBILL, ...BROKEN_ROUTE }, async (folder) => {
      const { output, complained } = keptOutput()
      expect((await settingsOf(folder, output)).xmpp.domain).toBe('waybill.example.org')
      expect(complained).toEqual([])
      await expect(assembled(folder, output)).rejects.toThrow(/^Cannot use the configuration/)
    })
  })

  it.each([
    ['an unknown key', `${WAYBILL}limts: {}\n`],
    ['a value that is none', `${WAYBILL}redis: { durability: fsnc }\n`],
    ['a folder to load that is not there', `${WAYBILL}load: [nowhere/]\n`],
  ])('are refused with %s in waybill.yaml', async (_, text) => {
    await withFolder({ 'waybill.yaml': text }, async (folder) => {
      const { output, complained } = keptOutput()
      await expect(settingsOf(folder, output)).rejects.toThrow(/^Cannot use the configuration/)
      expect(complained.join('\n')).toContain('waybill.yaml:')
    })
  })
})
