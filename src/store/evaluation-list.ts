import { type Kysely, sql, type SqlBool } from 'kysely'
import type { DB } from './schema.generated.ts'

export const EVALUATION_STATUSES = ['succeeded', 'failed'] as const
export type EvaluationStatus = (typeof EVALUATION_STATUSES)[number]

export interface EvaluationFilter {
  flake?: number
  /** A revision, or its beginning. */
  commit?: string
  configuration?: string
  status?: EvaluationStatus
}

const LISTED = [
  'evaluations.id',
  'commits.flake_id',
  'commits.sha',
  'evaluations.configuration',
  'evaluations.status',
  'evaluations.out_path',
  'evaluations.nixos_version',
  'evaluations.cause',
  'evaluations.duration_ms',
  'evaluations.evaluated_at',
] as const

/** A place in the order of the list: commits that came later first, and of one commit the configurations by name. */
export interface EvaluationPlace {
  commitId: number
  configuration: string
}

/** Evaluations that pass the filter, from the one after `after`. */
export async function listEvaluations(
  db: Kysely<DB>,
  options: { filter: EvaluationFilter; after: EvaluationPlace | null; limit: number },
) {
  const { filter, after } = options
  return db
    .selectFrom('evaluations')
    .innerJoin('commits', 'commits.id', 'evaluations.commit_id')
    .select(LISTED)
    .select('evaluations.commit_id')
    .$if(filter.flake !== undefined, (query) => query.where('commits.flake_id', '=', filter.flake ?? 0))
    .$if(filter.commit !== undefined, (query) => query.where('commits.sha', 'like', `${filter.commit}%`))
    .$if(filter.configuration !== undefined, (query) =>
      query.where('evaluations.configuration', '=', filter.configuration ?? ''),
    )
    .$if(filter.status !== undefined, (query) =>
      query.where('evaluations.status', '=', filter.status ?? 'failed'),
    )
    .$if(after !== null, (query) =>
      query
        .where('commits.id', '<=', after?.commitId ?? 0)
        .where(
          sql<SqlBool>`(commits.id < ${after?.commitId} or evaluations.configuration > ${after?.configuration})`,
        ),
    )
    .orderBy('commits.id', 'desc')
    .orderBy('evaluations.configuration')
    .limit(options.limit)
    .execute()
}

/** All that is known of one evaluation, or null. */
export async function findEvaluation(db: Kysely<DB>, id: number) {
  const row = await db
    .selectFrom('evaluations')
    .innerJoin('commits', 'commits.id', 'evaluations.commit_id')
    .innerJoin('flakes', 'flakes.id', 'commits.flake_id')
    .select(LISTED)
    .select([
      'evaluations.commit_id',
      'flakes.url as flake_url',
      'commits.subject',
      'commits.status as commit_status',
      'evaluations.drv_path',
      'evaluations.platform',
      'evaluations.kernel_version',
      'evaluations.state_version',
      'evaluations.embeds_revision',
      'evaluations.error',
      'evaluations.peak_memory_bytes',
      'evaluations.nix_version',
    ])
    .where('evaluations.id', '=', id)
    .executeTakeFirst()
  if (row === undefined) return null
  const specialisations = await db
    .selectFrom('evaluated_paths')
    .select(['specialisation as name', 'out_path'])
    .where('evaluation_id', '=', id)
    .where('specialisation', '<>', '')
    .orderBy('specialisation')
    .execute()
  return { ...row, specialisations }
}
