import { execFileSync } from 'node:child_process'

/** A Python that has the module: the first on the path, or the system's own, for which Debian's packages are made. */
export function pythonWith(module: string, debianPackage: string): string {
  const found = ['python3', '/usr/bin/python3'].find((python) => canImport(python, module))
  if (found) return found
  throw new Error(`Cannot import ${module} in Python: it is not installed. Install the package ${debianPackage}`)
}

function canImport(python: string, module: string): boolean {
  try {
    execFileSync(python, ['-c', `import ${module}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
