import { type Kysely, sql, type Transaction } from 'kysely'
import { recordChange, recordDifference, type State } from './audit.ts'
import type { AuditAction } from './audit-actions.ts'
import { inTransaction } from './database.ts'
import { endDrift, lockFleet, startDrift, updateDrift } from './drift.ts'
import { findOrAddFlake, recordFlake } from './flakes.ts'
import type { DB } from './schema.generated.ts'

/** What an operator or a configuration says of a system. `configuration` null means its host name. */
export interface SystemSettings {
  hostname: string
  environment: string | null
  flakeUrl: string | null
  configuration: string | null
  pinnedPath: string | null
}

/** Undefined stays as it is. */
export type SystemChanges = {
  [Name in Exclude<keyof SystemSettings, 'hostname'>]?: SystemSettings[Name] | undefined
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

/** Registers a system with its contact and drift rows. Null when the name is taken, also by an archived system. */
export async function addSystem(
  db: Kysely<DB>,
  settings: SystemSettings,
  declared: boolean,
): Promise<number | null> {
  return inTransaction(db, (transaction) => add(transaction, settings, declared))
}

async function add(transaction: Transaction<DB>, settings: SystemSettings, declared: boolean) {
  const flakeId = await assignFlake(transaction, settings.flakeUrl)
  const { rows } = await sql<{ id: number }>`
    with added as (
      insert into systems (hostname, environment, flake_id, configuration, pinned_path, declared)
      values (${settings.hostname}, ${settings.environment}, ${flakeId}, ${settings.configuration},
              ${settings.pinnedPath}, ${declared})
      on conflict do nothing
      returning id
    ),
    contact as (insert into contacts (system_id) select id from added)
    select id from added`.execute(transaction)
  const id = rows[0]?.id ?? null
  if (id === null) return null
  await startDrift(transaction, id)
  const subject = { kind: 'system', id, name: settings.hostname } as const
  const after = await lookAt(transaction, id)
  await recordChange(transaction, { action: 'system.add', subject, before: null, after })
  return id
}

/** Takes the lock of whoever changes systems, runs `work`, which changes this one, and records what is different. */
async function recordSystem<T>(
  transaction: Transaction<DB>,
  { action, id }: { action: AuditAction; id: number },
  work: () => Promise<T>,
): Promise<T> {
  await lockFleet(transaction, 'systems')
  const { hostname } = await transaction
    .selectFrom('systems')
    .select('hostname')
    .where('id', '=', id)
    // not against who only refers to it: an evaluator that holds the flake does
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow()
  const subject = { kind: 'system', id, name: hostname } as const
  return recordDifference(transaction, { action, subject, look: () => lookAt(transaction, id) }, work)
}

/** What the audit trail says of a system. */
async function lookAt(transaction: Transaction<DB>, id: number): Promise<State> {
  return transaction
    .selectFrom('systems')
    .leftJoin('flakes', 'flakes.id', 'systems.flake_id')
    .select([
      'systems.environment',
      'flakes.url as flake_url',
      'systems.configuration',
      'systems.pinned_path',
      'systems.declared',
      sql<boolean>`systems.archived_at is not null`.as('archived'),
    ])
    .where('systems.id', '=', id)
    .executeTakeFirstOrThrow()
}

/** Changes what is said of a system and brings it back if it was archived. */
export async function updateSystem(
  transaction: Transaction<DB>,
  id: number,
  settings: SystemSettings,
  declared: boolean,
): Promise<void> {
  const flakeId = await assignFlake(transaction, settings.flakeUrl)
  await recordSystem(transaction, { action: 'system.change', id }, async () => {
    await setSettings(transaction, id, { ...settings, flakeId })
    await transaction
      .updateTable('systems')
      .set({ declared, archived_at: null })
      .where('id', '=', id)
      .execute()
  })
  await startDrift(transaction, id)
}

/** Changes those settings of a system that are given, archived or not, and judges anew how it stands. */
export async function changeSystem(db: Kysely<DB>, id: number, changes: SystemChanges): Promise<void> {
  await inTransaction(db, async (transaction) => {
    await recordSystem(transaction, { action: 'system.change', id }, () => change(transaction, id, changes))
    await updateDrift(transaction, { systemId: id })
  })
}

async function change(transaction: Transaction<DB>, id: number, changes: SystemChanges): Promise<void> {
  const old = await transaction
    .selectFrom('systems')
    .select(['environment', 'flake_id', 'configuration', 'pinned_path'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const { environment, flakeUrl, configuration, pinnedPath } = changes
  const flakeId = flakeUrl === undefined ? old.flake_id : await assignFlake(transaction, flakeUrl)
  await setSettings(transaction, id, {
    environment: environment === undefined ? old.environment : environment,
    flakeId,
    configuration: configuration === undefined ? old.configuration : configuration,
    pinnedPath: pinnedPath === undefined ? old.pinned_path : pinnedPath,
  })
}

async function setSettings(
  transaction: Transaction<DB>,
  id: number,
  settings: Omit<SystemSettings, 'hostname' | 'flakeUrl'> & { flakeId: number | null },
): Promise<void> {
  await sql`
    update systems s set
      environment = ${settings.environment}, flake_id = n.flake_id, configuration = n.configuration,
      pinned_path = n.pinned_path,
      assigned_at = case
        when (s.flake_id, s.configuration, s.pinned_path) is distinct from (n.flake_id, n.configuration, n.pinned_path)
        then now() else s.assigned_at end
    from (select ${settings.flakeId}::bigint as flake_id, ${settings.configuration}::text as configuration,
                 ${settings.pinnedPath}::text as pinned_path) n
    where s.id = ${id}`.execute(transaction)
}

/** The flake of a URL. What it says to run does not change before the system has it. */
async function assignFlake(transaction: Transaction<DB>, url: string | null): Promise<number | null> {
  await lockFleet(transaction, 'systems')
  return url === null ? null : findOrAddFlake(transaction, url)
}

/**
 * Archives or brings back: an archived system's keys are refused, its evidence stays. A system that comes back brings its
 * flake back, which may have been archived when no other system had it.
 */
export async function setArchived(db: Kysely<DB>, id: number, archived: boolean): Promise<void> {
  await inTransaction(db, async (transaction) => {
    const action = archived ? 'system.archive' : 'system.restore'
    await recordSystem(transaction, { action, id }, () =>
      transaction
        .updateTable('systems')
        .set({ archived_at: archived ? sql`coalesce(archived_at, now())` : null })
        .where('id', '=', id)
        .execute(),
    )
    if (archived) return endDrift(transaction, id)
    await restoreFlake(transaction, id)
    await startDrift(transaction, id)
  })
}

/** Asked for its head at once, as one that is added is. */
async function restoreFlake(transaction: Transaction<DB>, systemId: number): Promise<void> {
  const archived = await transaction
    .selectFrom('systems')
    .innerJoin('flakes', 'flakes.id', 'systems.flake_id')
    .select('flakes.id')
    .where('systems.id', '=', systemId)
    .where('flakes.archived_at', 'is not', null)
    .executeTakeFirst()
  if (archived === undefined) return
  await recordFlake(transaction, 'flake.add', archived.id, () =>
    transaction
      .updateTable('flakes')
      .set({ archived_at: null, next_poll_at: sql`now()` })
      .where('id', '=', archived.id)
      .execute(),
  )
}

/** The configurations of a flake that systems have to run, each once. */
export async function listConfigurationsInUse(db: Kysely<DB>, flakeId: number): Promise<string[]> {
  const rows = await db
    .selectFrom('systems')
    .select(sql<string>`coalesce(configuration, hostname)`.as('configuration'))
    .distinct()
    .where('flake_id', '=', flakeId)
    .where('archived_at', 'is', null)
    .execute()
  return rows.map((row) => row.configuration)
}
