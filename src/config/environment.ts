import type { ProblemCode } from './problem.ts'

const PLACE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{/g

/** Fills the `${NAME}` places of a text from the environment; `$${` stands for `${` itself. */
export function fillPlaces(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly text: string; readonly problems: readonly { readonly code: ProblemCode; readonly message: string }[] } {
  const problems: { code: ProblemCode; message: string }[] = []
  const filled = text.replace(PLACE, (place, name: string | undefined) => {
    if (place === '$${') return '${'
    if (name === undefined) {
      const message = `Cannot read a value: "\${" must be followed by a variable's name and "}" ($\${ stands for \${ itself)`
      problems.push({ code: 'environment-place', message })
      return place
    }
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined
    if (value === undefined) {
      problems.push({
        code: 'environment-missing',
        message: `Cannot fill in \${${name}}: the environment has no ${name}`,
      })
    }
    return value ?? place
  })
  return { text: filled, problems }
}
