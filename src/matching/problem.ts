/** What is wrong with a route, found when it is compiled. A route with an error in its conditions never matches. */
export interface RouteProblem {
  readonly route: string
  /** Place in the route's YAML: `['when', 'xpath']`, `['deliver', 0, 'allow']`. */
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly severity: 'error' | 'warning'
  readonly code: ProblemCode
}

export type ProblemCode =
  | 'xpath-invalid'
  | 'pattern-invalid'
  | 'template-invalid'
  | 'place-in-domain'
  | 'address-invalid'
  | 'allow-invalid'
  | 'allow-missing'
  | 'allow-slow'
  | 'options-differ'

/** Notes a problem of the route that is being compiled. */
export type Complain = (
  code: ProblemCode,
  path: RouteProblem['path'],
  message: string,
  severity?: RouteProblem['severity'],
) => void
