import { hostname } from 'node:os'
import { type Kysely, sql } from 'kysely'
import type { Part } from '../lib/lifecycle.ts'
import type { Logger } from '../lib/log.ts'
import { VERSION } from '../lib/version.ts'
import type { DB } from './schema.generated.ts'

export const INSTANCE_KINDS = ['server', 'evaluator'] as const
export type InstanceKind = (typeof INSTANCE_KINDS)[number]

/** One of our own processes, or an evaluator within a server's. */
export interface Instance {
  kind: InstanceKind
  host: string
  version: string
  started_at: Date
  seen_at: Date
  /** It said so within the last 90 s: it may miss two times of three. */
  present: boolean
}

const BEAT_MS = 30_000
const PRESENT_SECS = 90

/** Says every 30 s that this process is there, until it stops; what fails is tried again with the next. */
export function createPresence(options: {
  db: Kysely<DB>
  kind: InstanceKind
  log: Logger
  /** Of the process in whose place this one was started, and which is not missed then. */
  id?: string | undefined
}): Part {
  const { db, kind, log, id = crypto.randomUUID() } = options
  let timer: NodeJS.Timeout | undefined
  let saying: Promise<void> = Promise.resolve()
  const warn = (err: unknown): void => {
    log.warn({ err }, 'it could not be written down whether this process is there')
  }
  const say = (): void => {
    saying = sayPresent(db, { id, kind }).catch(warn)
  }
  return {
    start: async () => {
      say()
      await saying
      timer = setInterval(say, BEAT_MS)
    },
    stop: async () => {
      clearInterval(timer)
      await saying
      await db.deleteFrom('instances').where('id', '=', id).execute().catch(warn)
    },
  }
}

/** Forgets those that nobody has seen for a day, too. */
async function sayPresent(db: Kysely<DB>, { id, kind }: { id: string; kind: InstanceKind }): Promise<void> {
  await sql`
    with old as (delete from instances where seen_at < now() - interval '1 day' and id <> ${id}::uuid)
    insert into instances (id, kind, host, version) values (${id}::uuid, ${kind}, ${hostname()}, ${VERSION})
    on conflict (id) do update set seen_at = now()`.execute(db)
}

/** Servers first, of each kind those seen last first. */
export async function listInstances(db: Kysely<DB>): Promise<Instance[]> {
  return db
    .selectFrom('instances')
    .select([
      'kind',
      'host',
      'version',
      'started_at',
      'seen_at',
      sql<boolean>`seen_at >= now() - make_interval(secs => ${PRESENT_SECS})`.as('present'),
    ])
    .orderBy('kind', 'desc')
    .orderBy('seen_at', 'desc')
    .execute()
}
