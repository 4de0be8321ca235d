export interface ConfigProblem {
  /** The file or the environment variable; empty where nothing was given. */
  source: string
  /** `database.port`, `systems[0].hostname`; empty for the whole. */
  path: string
  message: string
}

/** Everything that is wrong with a configuration. Holds no values of secrets. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(formatProblem)
    super(
      lines.length === 1
        ? `configuration: ${lines[0]}`
        : `configuration: ${lines.length} problems\n${lines.map((line) => `  ${line}`).join('\n')}`,
    )
    this.name = 'ConfigError'
    this.problems = problems
  }
}

function formatProblem({ source, path, message }: ConfigProblem): string {
  return [source, path, message].filter((part) => part !== '').join(': ')
}

/** The message of an Error of ours; others are described by their type alone, as they can quote what they read. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
