import { type InsertObject, type Kysely, sql, type Transaction } from 'kysely'
import { type Flag, FLAGS, type FlagDetails, type RaisedFlags, STICKY_FLAGS } from '../fleet/flags.ts'
import { profileMismatchKind } from '../fleet/profile-mismatch.ts'
import { recordChange } from './audit.ts'
import { inTransaction } from './database.ts'
import type { DB } from './schema.generated.ts'

export interface FlagRow {
  flag: Flag
  since: Date
  details: FlagDetails
}

/** A heartbeat raises `history_lost`, an operator ends sticky ones: a report decides all others. */
const endsUnlessRaised = new Set(
  FLAGS.filter((flag) => flag !== 'history_lost' && !STICKY_FLAGS.includes(flag)),
)

/**
 * Brings systems' flags in line with what their newest reports raised, given those that are `up`: `since` of a flag that
 * stays up is kept, its details are renewed; one that is not raised any more ends, unless it is sticky. Sticky ones keep
 * their first details.
 */
export async function setReportFlags(
  transaction: Transaction<DB>,
  systems: readonly { systemId: number; raised: RaisedFlags; up: readonly Flag[] }[],
): Promise<void> {
  const ending = systems.flatMap(({ systemId, raised, up }) =>
    up
      .filter((flag) => endsUnlessRaised.has(flag) && raised[flag] === undefined)
      .map((flag) => ({ systemId, flag })),
  )
  if (ending.length > 0) await endFlags(transaction, ending)
  const raised = systems.flatMap((system) =>
    FLAGS.filter((flag) => system.raised[flag] !== undefined).map((flag) => ({
      system_id: system.systemId,
      flag,
      since: sql<Date>`now()`,
      details: JSON.stringify(system.raised[flag]),
    })),
  )
  if (raised.length > 0) await raiseFlags(transaction, raised)
}

async function endFlags(
  transaction: Transaction<DB>,
  ending: readonly { systemId: number; flag: Flag }[],
): Promise<void> {
  await sql`
    delete from flags f
    using unnest(${ending.map((each) => each.systemId)}::bigint[], ${ending.map((each) => each.flag)}::text[])
      as e (system_id, flag)
    where f.system_id = e.system_id and f.flag = e.flag`.execute(transaction)
}

async function raiseFlags(transaction: Transaction<DB>, raised: InsertObject<DB, 'flags'>[]) {
  await transaction
    .insertInto('flags')
    .values(raised)
    .onConflict((conflict) =>
      conflict
        .columns(['system_id', 'flag'])
        .doUpdateSet((row) => ({ details: row.ref('excluded.details') }))
        .where('flags.flag', 'not in', [...STICKY_FLAGS]),
    )
    .execute()
}

/** Takes a sticky flag down. False when it is not up. */
export async function acknowledgeFlag(db: Kysely<DB>, systemId: number, flag: Flag): Promise<boolean> {
  return inTransaction(db, async (transaction) => {
    const before = await transaction
      .deleteFrom('flags')
      .where('system_id', '=', systemId)
      .where('flag', '=', flag)
      .returning(['flag', 'since', 'details'])
      .executeTakeFirst()
    if (before === undefined) return false
    const { hostname } = await transaction
      .selectFrom('systems')
      .select('hostname')
      .where('id', '=', systemId)
      .executeTakeFirstOrThrow()
    const subject = { kind: 'system', id: systemId, name: hostname } as const
    await recordChange(transaction, { action: 'flag.acknowledge', subject, before, after: null })
    return true
  })
}

/** The details of a flag with the kind of `profile_mismatch`, which depends on a boot that a heartbeat tells after the report. */
export function withMismatchKind(flag: string, details: FlagDetails, bootedAt: Date | null): FlagDetails {
  if (flag !== 'profile_mismatch') return details
  const { current, booted, profile_changed_at: changed } = details
  const kind = profileMismatchKind({
    current: String(current),
    booted: typeof booted === 'string' ? booted : null,
    profileChangedAt: typeof changed === 'string' ? Date.parse(changed) : null,
    bootedAt: bootedAt?.getTime() ?? null,
  })
  return { ...details, kind }
}
