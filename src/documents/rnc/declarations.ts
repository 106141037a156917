import {
  current,
  following,
  isKeyword,
  isSymbol,
  type Reader,
  takeKeyword,
  takeLiteral,
  takeName,
  takeSymbol,
  unexpected,
} from './reader.ts'

/** C.1 `decl`. */
export function readDeclarations(reader: Reader): void {
  for (;;) {
    const { text } = current(reader)
    if (isSymbol(reader, '[')) return
    if (!isDeclaration(reader)) return
    reader.at += 1
    if (text === 'datatypes') {
      const prefix = takeName(reader)
      reader.datatypes.set(prefix, assigned(reader, takeLiteral))
    } else {
      readNamespace(reader, text === 'default')
    }
  }
}

function isDeclaration(reader: Reader): boolean {
  if (isKeyword(reader, 'default')) return following(reader)?.text === 'namespace'
  return isKeyword(reader, 'namespace') || isKeyword(reader, 'datatypes')
}

function readNamespace(reader: Reader, isDefault: boolean): void {
  if (isDefault) reader.at += 1
  const prefix = isSymbol(reader, '=') ? undefined : takeName(reader)
  const uri = assigned(reader, (from) => (takeKeyword(from, 'inherit') ? undefined : takeLiteral(from)))
  if (prefix !== undefined) reader.namespaces.set(prefix, uri)
  if (isDefault) reader.namespaces.set('', uri)
}

function assigned<T>(reader: Reader, read: (reader: Reader) => T): T {
  if (!takeSymbol(reader, '=')) throw unexpected(reader, '"="')
  return read(reader)
}
