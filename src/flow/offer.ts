import { typeKey } from '../domain/document-type.ts'
import { bareJid } from '../domain/jid.ts'
import type { OfferedType } from '../domain/offered-type.ts'
import type { CheckRules } from './check.ts'

/** The types that a sender may send: of others nobody learns that they are there. Administrators see all of them. */
export function offeredTo(
  from: string,
  types: readonly OfferedType[],
  { senders, typeSenders }: Pick<CheckRules, 'senders' | 'typeSenders'>,
  admins: readonly string[],
): readonly OfferedType[] {
  if (admins.includes(bareJid(from))) return types
  if (!senders(from)) return []
  return types.filter(({ type }) => typeSenders.get(typeKey(type))?.(from) !== false)
}
