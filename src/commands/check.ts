import { assemble } from '../assemble.ts'
import { formatProblem } from '../config/configuration.ts'
import { type ExitCode, type Output, printJson } from './output.ts'

/** Every problem of a configuration at once. 1 where one of them is an error. */
export async function check(folder: string, output: Output): Promise<ExitCode> {
  const { assembly, problems } = await assemble(folder, process.env)
  assembly?.documents.dispose()
  if (output.format === 'json') printJson(output, { problems })
  else for (const problem of problems) output.print(formatProblem(problem))
  if (!assembly) return 1
  const { types, routes } = assembly.configuration
  if (output.format === 'table')
    output.print(`fine: ${types.length} document types, ${routes.length} routes, ${problems.length} warnings`)
  return 0
}
