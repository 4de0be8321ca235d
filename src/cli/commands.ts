import type { Command } from 'commander'

interface CommandEntry {
  name: string
  summary: string
  /** Imported only when the command runs, so that none pays for the libraries of another. */
  load: () => Promise<Command>
}

/** Every command, in the order of the help. A new one is its file and one line here. */
export const COMMANDS: readonly CommandEntry[] = [
  entry('server', 'run the server', async () => (await import('./server.ts')).createServerCommand()),
  entry('evaluator', 'run an evaluator beside the servers', async () =>
    (await import('./evaluator.ts')).createEvaluatorCommand(),
  ),
  entry('agent', 'run the agent', async () => (await import('./agent.ts')).createAgentCommand()),
  entry('keygen', 'make an Ed25519 key pair for an agent', async () =>
    (await import('./keygen.ts')).createKeygenCommand(),
  ),
  entry('check-config', 'check the configuration and print what is in effect', async () =>
    (await import('./check-config.ts')).createCheckConfigCommand(),
  ),
  entry('demo', 'run a whole system on this machine, to try it or to check it', async () =>
    (await import('./demo.ts')).createDemoCommand(),
  ),
  entry('status', 'the fleet on one screen: what needs attention, the worst first', async () =>
    (await import('./status.ts')).createStatusCommand(),
  ),
  entry('drift', 'every system that is not in sync, with why and since when', async () =>
    (await import('./drift.ts')).createDriftCommand(),
  ),
  entry('systems', 'the machines under watch, their flags and their keys', async () =>
    (await import('./systems.ts')).createSystemsCommand(),
  ),
  entry('flakes', 'the Git repositories that say what systems should run', async () =>
    (await import('./flakes.ts')).createFlakesCommand(),
  ),
  entry('commits', 'the newest commits of the flakes, and what each changes', async () =>
    (await import('./commits.ts')).createCommitsCommand(),
  ),
  entry('evaluations', 'what configurations evaluate to, or why they do not', async () =>
    (await import('./evaluations.ts')).createEvaluationsCommand(),
  ),
  entry('jobs', 'what the server does by itself, and when', async () =>
    (await import('./jobs.ts')).createJobsCommand(),
  ),
  entry('enroll-token', 'tokens that let new agents in', async () =>
    (await import('./enroll-token.ts')).createEnrollTokenCommand(),
  ),
  entry('simulate-push', 'tell a server of a push, as a Git host would', async () =>
    (await import('./simulate-push.ts')).createSimulatePushCommand(),
  ),
  entry('users', 'the people who sign in, and links for who cannot', async () =>
    (await import('./users.ts')).createUsersCommand(),
  ),
  entry('tokens', 'API tokens; the first one too', async () =>
    (await import('./tokens.ts')).createTokensCommand(),
  ),
  entry('audit', 'who changed what, the newest first', async () =>
    (await import('./audit.ts')).createAuditCommand(),
  ),
  entry('db', 'the schema of the database', async () => (await import('./db.ts')).createDbCommand()),
]

function entry(name: string, summary: string, load: () => Promise<Command>): CommandEntry {
  return { name, summary, load: async () => (await load()).name(name).summary(summary) }
}
