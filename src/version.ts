import { readFileSync } from 'node:fs'

/** The version that XEP-0092, disco and `waybill --version` tell: the package's own. */
export const VERSION: string = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version
