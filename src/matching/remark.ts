import type { RouteProblem } from './problem.ts'

/** Something about a route that is surely not meant, though it compiles. */
export interface RouteRemark {
  readonly route: string
  /** Place in the route's YAML. */
  readonly path: RouteProblem['path']
  readonly code: RemarkCode
  readonly message: string
}

export type RemarkCode =
  | 'route-shadowed'
  | 'route-duplicate'
  | 'route-scanned'
  | 'template-unfillable'
  | 'owner-missing'
  | 'sender-impossible'
  | 'loop'
