import type { Kysely, Transaction } from 'kysely'
import { lockFlake } from './commits.ts'
import { updateDrift } from './drift.ts'
import type { DB } from './schema.generated.ts'

/** What one configuration evaluates to at one commit, or why it does not. */
export type EvaluationRecord = {
  configuration: string
  durationMs: number
  /** Bytes; null where it cannot be read. */
  peakMemoryBytes: number | null
  nixVersion: string
} & (
  | {
      status: 'succeeded'
      drvPath: string
      outPath: string
      platform: string | null
      nixosVersion: string | null
      kernelVersion: string | null
      stateVersion: string | null
      /** `system.configurationRevision` is set: every commit changes the path. */
      embedsRevision: boolean
      specialisations: readonly { name: string; outPath: string }[]
    }
  | { status: 'failed'; cause: string; error: string }
)

/**
 * Stores results of one commit, each in the place of an earlier one of its configuration, and judges the systems they
 * concern anew, in one transaction.
 */
export async function recordEvaluations(
  db: Kysely<DB>,
  commit: { id: number; flakeId: number },
  records: readonly EvaluationRecord[],
): Promise<void> {
  if (records.length === 0) return
  await db.transaction().execute(async (transaction) => {
    await lockFlake(transaction, commit.flakeId)
    const before = await pathsOf(transaction, commit.id, records)
    await insert(transaction, commit.id, records)
    await updateDrift(transaction, {
      flakeId: commit.flakeId,
      configurations: records.map((record) => record.configuration),
      paths: [...before, ...records.flatMap(pathsOfRecord)],
    })
  })
}

async function pathsOf(
  transaction: Transaction<DB>,
  commitId: number,
  records: readonly EvaluationRecord[],
): Promise<string[]> {
  const rows = await transaction
    .selectFrom('evaluations')
    .innerJoin('evaluated_paths', 'evaluated_paths.evaluation_id', 'evaluations.id')
    .select('evaluated_paths.out_path')
    .where('commit_id', '=', commitId)
    .where(
      'configuration',
      'in',
      records.map((record) => record.configuration),
    )
    .execute()
  return rows.map((row) => row.out_path)
}

const pathsOfRecord = (record: EvaluationRecord): string[] =>
  record.status === 'failed' ? [] : [record.outPath, ...record.specialisations.map((each) => each.outPath)]

async function insert(transaction: Transaction<DB>, commitId: number, records: readonly EvaluationRecord[]) {
  await transaction
    .deleteFrom('evaluations')
    .where('commit_id', '=', commitId)
    .where(
      'configuration',
      'in',
      records.map((record) => record.configuration),
    )
    .execute()
  const inserted = await transaction
    .insertInto('evaluations')
    .values(records.map((record) => toRow(commitId, record)))
    .returning(['id', 'configuration'])
    .execute()
  const ids = new Map(inserted.map((row) => [row.configuration, row.id]))
  const paths = records.flatMap((record) => {
    if (record.status === 'failed') return []
    const evaluation_id = ids.get(record.configuration) ?? 0
    return [
      { evaluation_id, specialisation: '', out_path: record.outPath },
      ...record.specialisations.map(({ name, outPath }) => ({
        evaluation_id,
        specialisation: name,
        out_path: outPath,
      })),
    ]
  })
  if (paths.length > 0) await transaction.insertInto('evaluated_paths').values(paths).execute()
}

function toRow(commitId: number, record: EvaluationRecord) {
  const good = record.status === 'succeeded' ? record : null
  const bad = record.status === 'failed' ? record : null
  return {
    commit_id: commitId,
    configuration: record.configuration,
    status: record.status,
    drv_path: good?.drvPath ?? null,
    out_path: good?.outPath ?? null,
    platform: good?.platform ?? null,
    nixos_version: good?.nixosVersion ?? null,
    kernel_version: good?.kernelVersion ?? null,
    state_version: good?.stateVersion ?? null,
    embeds_revision: good?.embedsRevision ?? null,
    cause: bad?.cause ?? null,
    error: bad?.error ?? null,
    duration_ms: Math.round(record.durationMs),
    peak_memory_bytes: record.peakMemoryBytes,
    nix_version: record.nixVersion,
  }
}

/** The configurations of a commit that have a result already. */
export async function listEvaluated(db: Kysely<DB>, commitId: number): Promise<string[]> {
  const rows = await db
    .selectFrom('evaluations')
    .select('configuration')
    .where('commit_id', '=', commitId)
    .execute()
  return rows.map((row) => row.configuration)
}
