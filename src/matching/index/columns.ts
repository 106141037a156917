/**
 * Columns side by side grow so many numbers apart from each other: all at once would hold everything up, and each by itself takes
 * well under a millisecond at a hundred thousand routes.
 */
export const APART = 48

/** The same numbers with room for `length` of them; new places hold 0. */
export function grown<Column extends Int32Array | Float64Array | Uint8Array>(column: Column, length: number): Column {
  if (length <= column.length) return column
  const make = column.constructor as new (length: number) => Column
  const larger = new make(Math.ceil(length * 1.2))
  larger.set(column)
  return larger
}
