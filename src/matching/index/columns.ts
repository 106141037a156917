/** The same numbers with room for `length` of them; new places hold 0. */
export function grown<Column extends Int32Array | Float64Array | Uint8Array>(column: Column, length: number): Column {
  if (length <= column.length) return column
  const make = column.constructor as new (length: number) => Column
  const larger = new make(Math.ceil(length * 1.4))
  larger.set(column)
  return larger
}
