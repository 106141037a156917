import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** Files in PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** A certificate for that name alone, signed by itself, so that who trusts it trusts nothing else. */
export function makeCertificate(folder: string, name: string): Certificate {
  const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}-key.pem`) }
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
      .concat(['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`])
      .concat(['-keyout', files.key, '-out', files.cert]),
    { stdio: 'pipe' },
  )
  return files
}
