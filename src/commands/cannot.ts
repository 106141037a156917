import { CommandFailed } from './output.ts'

/** For `catch`: what the system says of a file or a folder, in words. What is no word of the system goes on as it is. */
export function cannot(verb: 'read' | 'write', path: string): (error: unknown) => never {
  return (error) => {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new CommandFailed(3, `Cannot ${verb} ${path}: ${reasonOf(code, verb)}`)
  }
}

function reasonOf(code: string, verb: 'read' | 'write'): string {
  switch (code) {
    case 'ENOENT':
      return 'there is no such file or folder'
    case 'ENOTDIR':
      return 'it is no folder'
    case 'EISDIR':
      return 'it is a folder'
    case 'EACCES':
    case 'EPERM':
      return `this user may not ${verb} it`
    default:
      return `the system says ${code}`
  }
}
