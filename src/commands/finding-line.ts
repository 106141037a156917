import type { Finding } from '../domain/rejection.ts'

/** `error xsd cvc… at /a/b line 3: message (found "x")`. */
export function formatFinding({ severity, layer, rule, path, line, column, message, value }: Finding): string {
  const place = [path && `at ${path}`, line !== undefined && `line ${line}${column === undefined ? '' : `:${column}`}`]
    .filter(Boolean)
    .join(' ')
  return `${severity} ${layer}/${rule}${place && ` ${place}`}: ${message}${value === undefined ? '' : ` (found ${JSON.stringify(value)})`}`
}
