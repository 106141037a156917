/** How a command speaks: results on stdout as a table for people or as JSON for programs, everything else on stderr. */
export interface Output {
  readonly format: 'table' | 'json'
  print(text: string): void
  complain(text: string): void
}

export type ExitCode = 0 | 1 | 2 | 3

/** A command that can't go on: the sentence that people read, and the exit code (1 findings, 2 usage, 3 environment). */
export class CommandFailed extends Error {
  override name = 'CommandFailed'
  readonly exitCode: ExitCode
  constructor(exitCode: ExitCode, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}

const STEERING = /\r(?!\n)|(?![\t\n\r])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu

/** Characters that would steer a terminal, or turn its lines around, made visible: what documents hold comes from strangers. */
export function visible(text: string): string {
  return text.replace(STEERING, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
}

export function printJson(output: Output, value: unknown): void {
  output.print(JSON.stringify(value, null, 2))
}

export type Row = Readonly<Record<string, string | number>>

/** Columns are as wide as their widest cell; the last one runs on. Headings are the keys of the first row. */
export function formatTable(rows: readonly Row[]): string {
  const [first] = rows
  if (!first) return ''
  const columns = Object.keys(first)
  const cells = [
    columns.map((column) => column.toUpperCase()),
    ...rows.map((row) => columns.map((column) => String(row[column] ?? ''))),
  ]
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => row[at]!.length)))
  return cells
    .map((row) =>
      row
        .map((cell, at) => (at === columns.length - 1 ? cell : cell.padEnd(widths[at]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Rows as a table, or the values as JSON. */
export function printRows(output: Output, rows: readonly Row[], values: unknown, empty: string): void {
  if (output.format === 'json') printJson(output, values)
  else output.print(rows.length === 0 ? empty : formatTable(rows))
}

/** `1 route`, `2 routes`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** `2026-11-21 03:35:45` in UTC. */
export function formatTime(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')
}
