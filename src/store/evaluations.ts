import { type Kysely, sql, type Transaction } from 'kysely'
import { countResults } from './commit-counts.ts'
import { lockFlake } from './commits.ts'
import { updateDrift } from './drift.ts'
import type { DB } from './schema.generated.ts'
import { storableText } from './storable-text.ts'

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
    await countResults(transaction, commit.id)
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
  const { rows } = await sql<{ out_path: string }>`
    select p.out_path from evaluations e join evaluated_paths p on p.evaluation_id = e.id
    where e.commit_id = ${commitId} and e.configuration = any(${configurationsOf(records)}::text[])`.execute(
    transaction,
  )
  return rows.map((row) => row.out_path)
}

const configurationsOf = (records: readonly EvaluationRecord[]): string[] =>
  records.map((record) => record.configuration)

const pathsOfRecord = (record: EvaluationRecord): string[] =>
  record.status === 'failed' ? [] : [record.outPath, ...record.specialisations.map((each) => each.outPath)]

/** As documents, not as parameters: there may be tens of thousands of values. */
async function insert(transaction: Transaction<DB>, commitId: number, records: readonly EvaluationRecord[]) {
  await sql`
    delete from evaluations
    where commit_id = ${commitId} and configuration = any(${configurationsOf(records)}::text[])`.execute(
    transaction,
  )
  const { rows } = await sql<{ id: number; configuration: string }>`
    insert into evaluations (commit_id, configuration, status, drv_path, out_path, platform, nixos_version, kernel_version,
      state_version, embeds_revision, cause, error, duration_ms, peak_memory_bytes, nix_version)
    select ${commitId}, configuration, status, drv_path, out_path, platform, nixos_version, kernel_version,
      state_version, embeds_revision, cause, error, duration_ms, peak_memory_bytes, nix_version
    from jsonb_populate_recordset(null::evaluations, ${JSON.stringify(records.map(toRow))}::jsonb)
    returning id, configuration`.execute(transaction)
  const ids = new Map(rows.map((row) => [row.configuration, row.id]))
  const paths = records.flatMap((record) => {
    if (record.status === 'failed') return []
    const { configuration } = record
    const evaluation_id = ids.get(configuration) ?? 0
    return [
      { evaluation_id, configuration, specialisation: '', out_path: record.outPath },
      ...record.specialisations.map(({ name, outPath }) => ({
        evaluation_id,
        configuration,
        specialisation: name,
        out_path: outPath,
      })),
    ]
  })
  if (paths.length === 0) return
  await sql`
    insert into evaluated_paths (evaluation_id, configuration, specialisation, out_path)
    select evaluation_id, configuration, specialisation, out_path
    from jsonb_populate_recordset(null::evaluated_paths, ${JSON.stringify(paths)}::jsonb)`.execute(
    transaction,
  )
}

function toRow(record: EvaluationRecord) {
  const good = record.status === 'succeeded' ? record : null
  const bad = record.status === 'failed' ? record : null
  return {
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
    error: bad === null ? null : storableText(bad.error),
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
