import { formatProblem, loadConfiguration, loadSettings, type Problem } from '../config/configuration.ts'
import type { Settings } from '../config/settings.ts'
import { CommandFailed, type Output } from './output.ts'

/**
 * The settings alone, for commands that look into Redis. Mistakes in types and routes are passed over: a process whose reload was
 * refused runs on, and has to be looked at all the same.
 */
export async function settingsOf(folder: string, output: Output): Promise<Settings> {
  const settings = await loadSettings(folder, process.env)
  if (settings) return settings
  const { problems } = await loadConfiguration(folder, process.env)
  return refuse(folder, problems, output)
}

export function refuse(folder: string, problems: readonly Problem[], output: Output): never {
  for (const problem of problems) output.complain(formatProblem(problem))
  throw new CommandFailed(1, `Cannot use the configuration in ${folder}: see the problems above`)
}
