/** What is wrong with a document type, found when the configuration is loaded. */
export interface DocumentsProblem {
  /** Key of the type. */
  readonly type: string
  /** Place inside the type's YAML: `['schema', 'xsd']`, `['fields', 'total', 'xpath']`. */
  readonly path: readonly string[]
  readonly message: string
  readonly severity: 'error' | 'warning'
  /** `file:line:column` where the trouble is inside a schema file. */
  readonly at?: string
}
