import { InvalidArgumentError, Option } from 'commander'
import { parseMediaType } from '../documents/media-type.ts'
import { type ExitCode, type Output, visible } from './output.ts'

/** Runs a command with its output in the format asked for, and keeps its exit code. */
export type Act = (work: (output: Output) => Promise<ExitCode>, format: string) => Promise<void>

export function formatOption(): Option {
  return new Option('-o, --output <format>', 'how results are printed').choices(['table', 'json']).default('table')
}

export function examples(...lines: string[]): string {
  return `Examples:\n${lines.map((line) => `  waybill ${line}`).join('\n')}\n`
}

export function positive(text: string): number {
  const number = Number(text)
  if (number > 0 && Number.isFinite(number)) return number
  throw new InvalidArgumentError('It must be a number larger than 0.')
}

export function mediaTypeOption(): Option {
  return new Option(
    '--media-type <type>',
    "what the document is, such as image/png (default: by the file's ending)",
  ).argParser(readMediaType)
}

function readMediaType(text: string): string {
  const mediaType = parseMediaType(text)
  if (mediaType) return mediaType.name
  throw new InvalidArgumentError('It must be a media type, such as image/png.')
}

/** Where a command writes: results, and everything else. */
export interface Streams {
  out(text: string): void
  err(text: string): void
}

export function outputAs(format: string, streams: Streams): Output {
  return {
    format: format === 'json' ? 'json' : 'table',
    // JSON has escapes of its own, and programs want what is there.
    print: (text) => streams.out(`${format === 'json' ? text : visible(text)}\n`),
    complain: (text) => streams.err(`${visible(text)}\n`),
  }
}

export function gather(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

export function withoutUndefined<T extends object>(of: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as never
}
