import { assemble } from '../assemble.ts'
import { byPlace, formatProblem } from '../config/configuration.ts'
import { review } from '../review.ts'
import { counted, type ExitCode, type Output, printJson } from './output.ts'

/**
 * The problems of all files of a configuration at once, and, where there are none, what is surely not meant in it. 1 where one of them is an error; with `strict`,
 * warnings count too.
 */
export async function check(folder: string, strict: boolean, output: Output): Promise<ExitCode> {
  const { assembly, problems: found } = await assemble(folder, process.env)
  const problems = assembly ? [...found, ...review(assembly)].sort(byPlace) : found
  assembly?.documents.dispose()
  if (output.format === 'json') printJson(output, { problems })
  else for (const problem of problems) output.print(formatProblem(problem))
  if (!assembly) return 1
  const isRefused = strict && problems.length > 0
  const { types, routes } = assembly.configuration
  if (output.format === 'table') {
    const counts = [
      counted(types.length, 'document type'),
      counted(routes.length, 'route'),
      counted(problems.length, 'warning'),
    ]
    output.print(`${isRefused ? 'fine but for warnings' : 'fine'}: ${counts.join(', ')}`)
  }
  return isRefused ? 1 : 0
}
