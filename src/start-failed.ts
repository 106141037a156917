/** A start that can't succeed: one clear sentence, and the exit code that says whose matter it is (1 findings, 3 environment). */
export class StartFailed extends Error {
  override name = 'StartFailed'
  readonly exitCode: 1 | 3
  constructor(exitCode: 1 | 3, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}

/** For what can't be asked or had: a matter of the environment. */
export function asStartFailed(error: Error): never {
  throw new StartFailed(3, error.message)
}
