import { type Kysely, sql, type Transaction } from 'kysely'
import { type Flag, FLAGS, type FlagDetails, type RaisedFlags, STICKY_FLAGS } from '../fleet/flags.ts'
import type { DB } from './schema.generated.ts'

export interface FlagRow {
  flag: Flag
  since: Date
  details: FlagDetails
}

/** The flags a report decides: all but `history_lost`, which a heartbeat raises. */
const decidedByReport = FLAGS.filter((flag) => flag !== 'history_lost')

/**
 * Brings a system's flags in line with what its newest report raised: `since` of a flag that stays up is kept, its
 * details are renewed; one that is not raised any more ends, unless it is sticky. Sticky ones keep their first details.
 */
export async function setReportFlags(
  transaction: Transaction<DB>,
  systemId: number,
  raised: RaisedFlags,
): Promise<void> {
  const names = FLAGS.filter((flag) => raised[flag] !== undefined)
  const ending = decidedByReport.filter((flag) => !STICKY_FLAGS.includes(flag) && !names.includes(flag))
  if (ending.length > 0)
    await transaction
      .deleteFrom('flags')
      .where('system_id', '=', systemId)
      .where('flag', 'in', ending)
      .execute()
  if (names.length === 0) return
  await transaction
    .insertInto('flags')
    .values(
      names.map((flag) => ({
        system_id: systemId,
        flag,
        since: sql<Date>`now()`,
        details: JSON.stringify(raised[flag]),
      })),
    )
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
  const deleted = await db
    .deleteFrom('flags')
    .where('system_id', '=', systemId)
    .where('flag', '=', flag)
    .executeTakeFirst()
  return deleted.numDeletedRows === 1n
}
