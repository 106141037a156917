import { environmentKeys } from './kind-schemas.ts'
import { type Path, type Problem, showPath } from './problem.ts'
import { complainAbout, type Thing } from './thing.ts'
import { readYaml, type YamlThing } from './yaml-file.ts'

export const WAYBILL_FILE = 'waybill.yaml'

type Environment = Readonly<Record<string, string | undefined>>

export interface WaybillThing extends Thing {
  /** Variable of the environment that the value at a path was taken from. */
  readonly variableOf: (path: Path) => string | undefined
  /** What `load` names; undefined where it names nothing that can be used. */
  readonly load: readonly string[] | undefined
}

/** The installation's file, with the environment's overrides put in. An empty variable overrides nothing. */
export function readWaybill(text: string, environment: Environment, problems: Problem[]): WaybillThing {
  const overrides = environmentKeys().filter(({ variable }) => (environment[variable] ?? '') !== '')
  const file = readYaml(
    text,
    WAYBILL_FILE,
    environment,
    overrides.map(({ path }) => path),
  )
  problems.push(...file.problems)
  const [first, second] = file.things
  const yaml = first ?? emptyThing
  if (second) {
    const message = `${WAYBILL_FILE} must hold one YAML document: put types, routes and policies into files that load names`
    problems.push({ ...second.locate([]), code: 'several-documents', severity: 'error', message })
  }
  const value = first?.value === undefined ? {} : first.value
  for (const { path, variable } of overrides) override(value, path, environment[variable]!)
  const variables = new Map(overrides.map(({ path, variable }) => [showPath(path), variable]))
  return {
    kind: 'Waybill',
    name: '',
    key: '',
    file: WAYBILL_FILE,
    yaml,
    value,
    ...(first || file.problems.length === 0 ? complainAbout(yaml, problems) : silence),
    variableOf: (path) => variables.get(showPath(path)),
    load: loadOf(value),
  }
}

/** After a syntax error nothing is known of what is there, and nothing is missing. */
const silence: Pick<Thing, 'complain' | 'isSound'> = { complain: () => undefined, isSound: () => false }

const emptyThing: YamlThing = {
  value: undefined,
  locate: () => ({ file: WAYBILL_FILE, line: 1, column: 1 }),
  sourceOf: () => undefined,
  isWritten: () => false,
  isUnfilled: () => false,
}

/** `http: none` gives way to a listening address; what is no mapping otherwise is left to be complained of. */
function override(value: unknown, [section, key]: Path, text: string): void {
  if (!isMapping(value)) return
  const current = value[section!]
  if (current === undefined || current === null || current === 'none') value[section!] = {}
  const mapping = value[section!]
  if (isMapping(mapping)) mapping[key!] = text
}

function isMapping(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function loadOf(value: unknown): readonly string[] | undefined {
  if (!isMapping(value) || !Array.isArray(value.load)) return undefined
  return value.load.filter((entry): entry is string => typeof entry === 'string' && entry !== '')
}
