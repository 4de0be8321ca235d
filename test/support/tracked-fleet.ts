import { sql } from 'kysely'
import { addFlake } from '../../src/store/flakes.ts'
import { recordReport } from '../../src/store/reports.ts'
import { addSystem } from '../../src/store/systems.ts'
import { addKey } from '../../src/store/keys.ts'
import type { TestDatabase } from './database.ts'
import { reportOf, type StoredSystem } from './entries.ts'
import type { TestRepository } from './git-repository.ts'
import { createSystemState } from './messages.ts'
import { newKey } from './test-agent.ts'
import { waitFor } from './wait.ts'

/** Nix to evaluate and Git to fetch on a machine that also does other tests. */
const TIMEOUT_MS = 60_000

/** The text of a `flake.nix` with these configurations, each a Nix expression for its toplevel's content. */
export function flakeOf(configurations: Readonly<Record<string, string>>): string {
  const lines = Object.entries(configurations).map(
    ([name, content]) => `    ${name} = system "${name}" (${content});`,
  )
  return `{
  outputs = { self }: let
    system = name: content: {
      config.system.build.toplevel = derivation {
        name = "nixos-system-\${name}";
        system = "x86_64-linux";
        builder = "/bin/sh";
        args = [ "-c" content ];
      };
    };
  in {
    nixosConfigurations = {
${lines.join('\n')}
    };
  };
}
`
}

/** Systems that follow a repository's branch, in a test's database. */
export async function createTrackedFleet({ database: { db } }: TestDatabase, repository: TestRepository) {
  const settings = { url: repository.url, branch: null, allowImportFromDerivation: false, searchDepth: 100 }
  const { id: flakeId } = await addFlake(db, settings, false)

  const readDrift = (hostname: string) =>
    db
      .selectFrom('drift')
      .innerJoin('systems', 'systems.id', 'drift.system_id')
      .leftJoin('commits', 'commits.id', 'drift.running_commit_id')
      .selectAll('drift')
      .select('commits.sha as running_sha')
      .where('hostname', '=', hostname)
      .executeTakeFirstOrThrow()

  return {
    flakeId,
    readDrift,
    addSystem: async (hostname: string, configuration: string | null = null): Promise<StoredSystem> => {
      const system = {
        hostname,
        environment: null,
        flakeUrl: repository.url,
        configuration,
        pinnedPath: null,
      }
      const systemId = await addSystem(db, system, false)
      if (systemId === null) throw new Error(`there is a system ${hostname} already`)
      const key = newKey()
      await addKey(db, { id: key.id, systemId, publicKey: key.publicKey, declared: false })
      return { hostname, systemId, key }
    },
    /** Its agent reports that it runs this path. */
    run: async (system: StoredSystem, path: string): Promise<void> => {
      await recordReport(db, reportOf(system, { system: { ...createSystemState(), current: path } }))
    },
    flake: () => db.selectFrom('flakes').selectAll().where('id', '=', flakeId).executeTakeFirstOrThrow(),
    commit: (sha: string) =>
      db
        .selectFrom('commits')
        .selectAll()
        .where('flake_id', '=', flakeId)
        .where('sha', '=', sha)
        .executeTakeFirst(),
    evaluation: (sha: string, configuration: string) =>
      db
        .selectFrom('evaluations')
        .innerJoin('commits', 'commits.id', 'evaluations.commit_id')
        .selectAll('evaluations')
        .where('flake_id', '=', flakeId)
        .where('sha', '=', sha)
        .where('configuration', '=', configuration)
        .executeTakeFirstOrThrow(),
    /** Resolves with the commit once its evaluation has ended, well or not. */
    ended: (sha: string) =>
      waitFor(
        async () => {
          const commit = await db
            .selectFrom('commits')
            .selectAll()
            .where('flake_id', '=', flakeId)
            .where('sha', '=', sha)
            .where('status', 'in', ['evaluated', 'failed'])
            .executeTakeFirst()
          return commit
        },
        { timeoutMs: TIMEOUT_MS, what: `the end of the evaluation of ${sha}` },
      ),
    inState: (hostname: string, state: string) =>
      waitFor(
        async () => {
          const drift = await readDrift(hostname)
          if (drift.state !== state) throw new Error(`${hostname} is ${drift.state}`)
          return drift
        },
        { timeoutMs: TIMEOUT_MS, what: `${hostname} to be ${state}` },
      ),
    events: async (hostname: string) => {
      const { rows } = await sql<{ kind: string; from: string | null; to: string | null }>`
        select kind, details ->> 'from' as "from", details ->> 'to' as "to" from events
        where system_id = (select id from systems where hostname = ${hostname}) and kind = 'drift' order by id`.execute(
        db,
      )
      return rows
    },
  }
}
