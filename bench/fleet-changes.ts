import { type Kysely, sql } from 'kysely'
import { finishCommit, markRunning } from '../src/store/commit-runs.ts'
import { listKnownCommits, recordBranch } from '../src/store/commits.ts'
import { recordEvaluations } from '../src/store/evaluations.ts'
import { applyRetention } from '../src/store/retention.ts'
import type { DB } from '../src/store/schema.generated.ts'
import type { Figures } from './figures.ts'

/** As many results at a time as an evaluator hands over when they come fast. */
const BATCH = 1000
const DAY_MS = 86_400_000

/**
 * What concerns the whole fleet, by the functions that do it in the product: a push, the results of the new commit for
 * each host, the end of its evaluation, and forgetting reports of more than two months ago.
 */
export async function measureChanges(db: Kysely<DB>, say: (text: string) => void): Promise<Figures> {
  const figures: Figures = {}
  const time = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    say(name)
    const start = performance.now()
    const result = await work()
    figures[`fleet.${name}_secs`] = {
      value: Number(((performance.now() - start) / 1000).toFixed(2)),
      unit: 's',
    }
    return result
  }
  const { rows: systems } = await sql<{ hostname: string }>`select hostname from systems order by id`.execute(
    db,
  )
  const commitId = await time('push', () => push(db))
  const commit = { id: commitId, flakeId: 1 }
  await markRunning(db, commitId, '2.8.0')
  await time('results', async () => {
    for (let start = 0; start < systems.length; start += BATCH)
      await recordEvaluations(
        db,
        commit,
        systems.slice(start, start + BATCH).map(({ hostname }) => resultOf(hostname)),
      )
  })
  await time('finish', () => finishCommit(db, commit, { status: 'evaluated' }))
  await time('retention', () =>
    applyRetention(db, {
      reportsMs: 62 * DAY_MS,
      onlinePeriodsMs: 62 * DAY_MS,
      eventsMs: DAY_MS,
      auditMs: 400 * DAY_MS,
      historyMs: 400 * DAY_MS,
    }),
  )
  return figures
}

async function push(db: Kysely<DB>): Promise<number> {
  const known = await listKnownCommits(db, 1)
  const now = new Date()
  const head = 'f'.repeat(40)
  const newest = { sha: head, position: 200, author: 'someone', subject: 'the newest', signed: false }
  const { commitId } = await recordBranch(
    db,
    1,
    {
      branch: 'main',
      head,
      mainline: [{ ...newest, authoredAt: now, committedAt: now }],
      others: new Map(known.map(({ sha, position }) => [sha, { position: position ?? 0, mainline: true }])),
    },
    async () => {},
  )
  return commitId
}

function resultOf(configuration: string): Parameters<typeof recordEvaluations>[2][number] {
  const path = `/nix/store/${'0'.repeat(32)}-nixos-system-${configuration}-25.11`
  return {
    configuration,
    status: 'succeeded',
    drvPath: `${path}.drv`,
    outPath: path,
    platform: 'x86_64-linux',
    nixosVersion: '25.11',
    kernelVersion: '6.12.0',
    stateVersion: '25.11',
    embedsRevision: false,
    specialisations: [],
    durationMs: 500,
    peakMemoryBytes: null,
    nixVersion: '2.8.0',
  }
}
