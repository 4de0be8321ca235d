import { type Kysely, sql } from 'kysely'
import type { DB } from '../../../src/store/schema.generated.ts'
import type { Time } from './history.ts'

/**
 * The clock of a history: every millisecond of the database's clock belongs to one step, so that what a step wrote can
 * be told from what the one before it wrote.
 */
export async function createSteps(db: Kysely<DB>) {
  const begins = [await clock(db)]
  return {
    now: (): Time => begins.length - 1,

    /** Begins the next step: in a millisecond in which nothing happens, neither of the one before nor of this one. */
    async next(): Promise<void> {
      const begin = (await clock(db)) + 1
      while ((await clock(db)) <= begin);
      begins.push(begin)
    },

    /** The first millisecond of a step; of one to come, an hour from now. */
    dateOf: (step: Time): Date => new Date(begins[step] ?? (begins.at(-1) ?? 0) + 3_600_000),

    stepOf: (date: Date): Time => begins.findLastIndex((begin) => begin <= date.getTime()),
  }
}

async function clock(db: Kysely<DB>): Promise<number> {
  const { rows } = await sql<{ ms: number }>`
    select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as ms`.execute(db)
  return rows[0]?.ms ?? 0
}
