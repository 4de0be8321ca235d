import { createHash } from 'node:crypto'
import type { Kysely } from 'kysely'
import { finishCommit, recordContents } from '../../src/store/commit-runs.ts'
import { recordBranch } from '../../src/store/commits.ts'
import { type EvaluationRecord, recordEvaluations } from '../../src/store/evaluations.ts'
import { addFlake } from '../../src/store/flakes.ts'
import type { DB } from '../../src/store/schema.generated.ts'

/** What a configuration evaluates to: a name that makes its path, or an error. */
export type TestResult = string | { cause: string; error: string }

export interface TestCommit {
  id: number
  flakeId: number
  sha: string
}

/** 40 hexadecimal digits that a name stands for. */
export const shaOf = (name: string): string => createHash('sha1').update(name).digest('hex')

/** The store path that a name stands for. */
export const pathOf = (name: string): string =>
  `/nix/store/${createHash('sha256').update(name).digest('hex').slice(0, 32).replaceAll('e', 'z')}-nixos-system-${name}`

/** A flake that is followed, with no commit yet. */
export async function addTestFlake(
  db: Kysely<DB>,
  settings: { url?: string; branch?: string; searchDepth?: number } = {},
): Promise<number> {
  const { url = 'github:yourorg/fleet', branch = null, searchDepth = 100 } = settings
  return (await addFlake(db, { url, branch, searchDepth, allowImportFromDerivation: false }, false)).id
}

/** Moves the branch to commits of these names, oldest first: all that it has. Resolves with the commits. */
export async function moveTestBranch(
  db: Kysely<DB>,
  flakeId: number,
  names: readonly string[],
  subjectOf: (name: string) => string = (name) => `subject of ${name}`,
): Promise<TestCommit[]> {
  const mainline = names.map((name, position) => ({
    sha: shaOf(name),
    position,
    author: 'A U Thor <author@example.org>',
    subject: subjectOf(name),
    authoredAt: new Date(1_700_000_000_000 + position * 60_000),
    committedAt: new Date(1_700_000_030_000 + position * 60_000),
    signed: position % 2 === 1,
  }))
  const head = mainline.at(-1)?.sha ?? ''
  const known = await db.selectFrom('commits').select('sha').where('flake_id', '=', flakeId).execute()
  const gone = known.filter(({ sha }) => !mainline.some((commit) => commit.sha === sha))
  const others = new Map(gone.map(({ sha }) => [sha, null]))
  await recordBranch(
    db,
    flakeId,
    { branch: 'main', head, mainline: mainline.toReversed(), others },
    async () => {},
  )
  const rows = await db.selectFrom('commits').select(['id', 'sha']).where('flake_id', '=', flakeId).execute()
  return names.map((name) => {
    const sha = shaOf(name)
    return { id: rows.find((row) => row.sha === sha)?.id ?? 0, flakeId, sha }
  })
}

/** Records what the configurations of a commit evaluate to, and that it is done. */
export async function evaluateTestCommit(
  db: Kysely<DB>,
  commit: TestCommit,
  results: Readonly<Record<string, TestResult>>,
  inputs: object[] = [],
): Promise<void> {
  const records = Object.entries(results).map(([configuration, result]) => recordOf(configuration, result))
  await recordContents(db, commit.id, { configurations: records.length, inputs })
  await recordEvaluations(db, commit, records)
  await finishCommit(db, commit, { status: 'evaluated' })
}

function recordOf(configuration: string, result: TestResult): EvaluationRecord {
  const cost = { configuration, durationMs: 512.4, peakMemoryBytes: 300_000_000, nixVersion: '2.8.0' }
  if (typeof result !== 'string') return { ...cost, status: 'failed', ...result }
  return {
    ...cost,
    status: 'succeeded',
    drvPath: `${pathOf(`${result}-drv`)}.drv`,
    outPath: pathOf(result),
    platform: 'x86_64-linux',
    nixosVersion: '25.11',
    kernelVersion: '6.12.4',
    stateVersion: '24.05',
    embedsRevision: false,
    specialisations: [{ name: 'rescue', outPath: pathOf(`${result}-rescue`) }],
  }
}
