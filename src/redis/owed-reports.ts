import type { Store } from '../flow/ports.ts'
import type { Call } from './calls.ts'

export function createOwedReports(call: Call): Pick<Store, 'owedReports' | 'reported'> {
  return {
    async owedReports(limit) {
      const rows = (await call('owed', [limit], { repeatable: true })) as [Buffer, number][]
      return rows.map(([id, end]) => ({ envelopeId: String(id), end }))
    },

    async reported(reports) {
      if (reports.length === 0) return
      const args = reports.flatMap(({ envelopeId, end }) => [envelopeId, end])
      await call('reported', args, { repeatable: true })
    },
  }
}
