import { type Assembly, assemble } from '../assemble.ts'
import { formatProblem, loadConfiguration, type Problem, type Settings } from '../config/configuration.ts'
import { WAYBILL_FILE } from '../config/waybill-file.ts'
import { CommandFailed, type Output } from './output.ts'

/** The folder's configuration, compiled; fails with all problems where it has errors. Warnings are left to `check`. */
export async function assembled(folder: string, output: Output): Promise<Assembly> {
  const { assembly, problems } = await assemble(folder, process.env)
  return assembly ?? refuse(folder, problems, output)
}

/**
 * The settings alone, for commands that look into Redis. Mistakes in types and routes are passed over: a process whose reload was
 * refused runs on, and has to be looked at all the same.
 */
export async function settingsOf(folder: string, output: Output): Promise<Settings> {
  const { sound, problems } = await loadConfiguration(folder, process.env)
  const isOurs = ({ file, severity }: Problem) => severity === 'error' && file === WAYBILL_FILE
  return sound.settings && !problems.some(isOurs) ? sound.settings : refuse(folder, problems, output)
}

function refuse(folder: string, problems: readonly Problem[], output: Output): never {
  for (const problem of problems) output.complain(formatProblem(problem))
  throw new CommandFailed(1, `Cannot use the configuration in ${folder}: see the problems above`)
}
