import { type Assembly, assemble } from '../assemble.ts'
import { type Configuration, formatProblem, loadConfiguration, type Problem } from '../config/configuration.ts'
import { CommandFailed, type Output } from './output.ts'

/** The folder's configuration, compiled; fails with all problems where it has errors. Warnings are left to `check`. */
export async function assembled(folder: string, output: Output): Promise<Assembly> {
  const { assembly, problems } = await assemble(folder, process.env)
  return assembly ?? refuse(folder, problems, output)
}

/** The configuration alone, for commands that look at no document. */
export async function configured(folder: string, output: Output): Promise<Configuration> {
  const { configuration, problems } = await loadConfiguration(folder, process.env)
  return configuration ?? refuse(folder, problems, output)
}

function refuse(folder: string, problems: readonly Problem[], output: Output): never {
  for (const problem of problems) output.complain(formatProblem(problem))
  throw new CommandFailed(1, `Cannot use the configuration in ${folder}: see the problems above`)
}
