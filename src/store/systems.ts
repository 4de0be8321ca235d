import { type Kysely, sql } from 'kysely'
import type { DB } from './schema.generated.ts'

/** What an operator or a configuration says of a system. `configuration` null means its host name. */
export interface SystemSettings {
  hostname: string
  environment: string | null
  flakeUrl: string | null
  configuration: string | null
  pinnedPath: string | null
}

export interface SystemRow {
  id: number
  hostname: string
  declared: boolean
  archived: boolean
}

/** The system of this name (in any case), archived ones too, or null. */
export async function findSystem(db: Kysely<DB>, hostname: string): Promise<SystemRow | null> {
  const row = await db
    .selectFrom('systems')
    .select(['id', 'hostname', 'declared', sql<boolean>`archived_at is not null`.as('archived')])
    .where(sql`lower(hostname)`, '=', hostname.toLowerCase())
    .executeTakeFirst()
  return row ?? null
}

/** Registers a system and its contact row together. Null when the name is taken, also by an archived system. */
export async function addSystem(
  db: Kysely<DB>,
  settings: SystemSettings,
  declared: boolean,
): Promise<number | null> {
  const { rows } = await sql<{ id: number }>`
    with added as (
      insert into systems (hostname, environment, flake_url, configuration, pinned_path, declared)
      values (${settings.hostname}, ${settings.environment}, ${settings.flakeUrl}, ${settings.configuration},
              ${settings.pinnedPath}, ${declared})
      on conflict do nothing
      returning id
    ),
    contact as (insert into contacts (system_id) select id from added)
    select id from added`.execute(db)
  return rows[0]?.id ?? null
}

export async function updateSystem(
  db: Kysely<DB>,
  id: number,
  settings: SystemSettings,
  declared: boolean,
): Promise<void> {
  await db
    .updateTable('systems')
    .set({
      environment: settings.environment,
      flake_url: settings.flakeUrl,
      configuration: settings.configuration,
      pinned_path: settings.pinnedPath,
      declared,
      archived_at: null,
    })
    .where('id', '=', id)
    .execute()
}

/** Archives or brings back: an archived system's keys are refused, its evidence stays. */
export async function setArchived(db: Kysely<DB>, id: number, archived: boolean): Promise<void> {
  await db
    .updateTable('systems')
    .set({ archived_at: archived ? sql`coalesce(archived_at, now())` : null })
    .where('id', '=', id)
    .execute()
}
