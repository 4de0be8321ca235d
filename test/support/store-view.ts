import { type Kysely, sql } from 'kysely'
import type { DB } from '../../src/store/schema.generated.ts'
import { waitFor } from './wait.ts'

type Of = { systemId: number }

/** What is in the database about one system, for tests that compare it before and after. */
export function createStoreView(db: Kysely<DB>) {
  const contact = ({ systemId }: Of) =>
    db.selectFrom('contacts').selectAll().where('system_id', '=', systemId).executeTakeFirstOrThrow()

  const facts = ({ systemId }: Of) =>
    db.selectFrom('facts').selectAll().where('system_id', '=', systemId).executeTakeFirst()

  /** Ended ones, oldest first. */
  const periods = ({ systemId }: Of) =>
    db
      .selectFrom('online_periods')
      .selectAll()
      .where('system_id', '=', systemId)
      .orderBy('started_at')
      .execute()

  /** With the public keys that made them, in the order of their sequences. */
  const reports = ({ systemId }: Of) =>
    db
      .selectFrom('reports')
      .innerJoin('keys', 'keys.id', 'reports.key_id')
      .selectAll('reports')
      .select('keys.public_key')
      .where('reports.system_id', '=', systemId)
      .orderBy('sequence')
      .execute()

  const keys = ({ systemId }: Of) =>
    db.selectFrom('keys').selectAll().where('system_id', '=', systemId).orderBy('id').execute()

  const flags = async ({ systemId }: Of) => {
    const rows = await db
      .selectFrom('flags')
      .select(['flag', 'since', 'details'])
      .where('system_id', '=', systemId)
      .execute()
    return Object.fromEntries(rows.map(({ flag, ...row }) => [flag, row]))
  }

  return {
    contact,
    facts,
    periods,
    reports,
    keys,
    flags,
    /** All that a request of the system may change. */
    everything: async (of: Of) => ({
      contact: await contact(of),
      facts: await facts(of),
      periods: await periods(of),
      reports: await reports(of),
      keys: await keys(of),
      flags: await flags(of),
    }),
    /** Moves the system's contacts so many seconds into the past. */
    age: ({ systemId }: Of, seconds: number) =>
      sql`update contacts set last_contact = last_contact - make_interval(secs => ${seconds}),
        online_since = online_since - make_interval(secs => ${seconds})
        where system_id = ${systemId}`.execute(db),
    deadlocks: async () => {
      const { rows } = await sql<{ deadlocks: number }>`select deadlocks from pg_stat_database
        where datname = current_database()`.execute(db)
      return rows[0]?.deadlocks
    },
    /** Resolves when so many connections wait for a lock. */
    untilBlocked: (connections: number) =>
      waitFor(
        async () => {
          const { rows } = await sql<{ blocked: number }>`select count(*) as blocked from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'`.execute(db)
          return (rows[0]?.blocked ?? 0) >= connections
        },
        { what: `${connections} blocked connections` },
      ),
  }
}
export type StoreView = ReturnType<typeof createStoreView>
