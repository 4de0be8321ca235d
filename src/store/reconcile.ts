import { hostname } from 'node:os'
import { type Kysely, sql, type Transaction } from 'kysely'
import { type Actor, changeAs, recordChange } from './audit.ts'
import { endDrift, lockFleet } from './drift.ts'
import type { FlakeSettings } from './flakes.ts'
import { addKey, deactivateKeys } from './keys.ts'
import { reconcileFlakes } from './reconcile-flakes.ts'
import type { DB } from './schema.generated.ts'
import { addSystem, findSystem, type SystemSettings, updateSystem } from './systems.ts'

export interface DeclaredSystem extends SystemSettings {
  keys: { id: string; publicKey: Buffer }[]
}

/** Any constant: servers that start at once reconcile one after the other. */
const RECONCILE_LOCK = 5_290_001

/**
 * Makes the database say what the configuration declares, in one transaction: flakes, and then the systems that have them.
 * Declared systems and keys are there and active, no longer declared ones archived and inactive. Returns what it archived:
 * the URLs of flakes and the names of systems. Throws, with nothing changed, what `reconcileFlakes` throws, and when a
 * declared key belongs to another system or is revoked: only a person can resolve that.
 */
export async function reconcile(
  db: Kysely<DB>,
  declared: { flakes: readonly FlakeSettings[]; systems: readonly DeclaredSystem[] },
): Promise<{ flakes: string[]; systems: string[] }> {
  const actor: Actor = { kind: 'configuration', id: null, name: hostname(), role: null, address: null }
  return changeAs(db, actor, async (transaction) => {
    await takeTurn(transaction)
    const left = await reconcileFlakes(transaction, declared.flakes)
    const kept: number[] = []
    for (const system of declared.systems) kept.push(await declare(transaction, system))
    const systems = await archiveOthers(transaction, kept)
    return { flakes: await stillArchived(transaction, left), systems }
  })
}

async function takeTurn(transaction: Transaction<DB>): Promise<void> {
  await sql`select pg_advisory_xact_lock(${RECONCILE_LOCK})`.execute(transaction)
  // the order in which heartbeats lock, so that neither waits for the other in a circle
  await sql`
    select count(*) from (select from contacts order by system_id for no key update) locked`.execute(
    transaction,
  )
  await lockFleet(transaction, 'commits')
}

/** A declared system's `flake_url` brings its flake back, as one that is not declared. */
async function stillArchived(transaction: Transaction<DB>, ids: readonly number[]): Promise<string[]> {
  if (ids.length === 0) return []
  const rows = await transaction
    .selectFrom('flakes')
    .select('url')
    .where('id', 'in', [...ids])
    .where('archived_at', 'is not', null)
    .execute()
  return rows.map((row) => row.url)
}

async function declare(transaction: Transaction<DB>, system: DeclaredSystem): Promise<number> {
  const there = await findSystem(transaction, system.hostname)
  const id = there?.id ?? (await addSystem(transaction, system, true))
  if (id === null) throw new Error(`system ${system.hostname} was added and removed at the same time`)
  if (there !== null) await updateSystem(transaction, id, system, true)
  for (const key of system.keys) {
    const outcome = await addKey(transaction, {
      id: key.id,
      systemId: id,
      publicKey: key.publicKey,
      declared: true,
    })
    if (outcome === 'of-another-system' || outcome === 'revoked')
      throw new Error(
        `the key ${key.id} declared for system ${system.hostname} ` +
          (outcome === 'revoked'
            ? 'was revoked and never works again: declare a new key'
            : 'belongs to another system: a key stays with its system for ever'),
      )
  }
  const kept = new Set(system.keys.map((key) => key.id))
  const declared = await declaredKeys(transaction, [id])
  await deactivateKeys(
    transaction,
    declared.filter((key) => !kept.has(key)),
  )
  return id
}

async function declaredKeys(transaction: Transaction<DB>, systemIds: readonly number[]): Promise<string[]> {
  const rows = await transaction
    .selectFrom('keys')
    .select('id')
    .where('system_id', 'in', [...systemIds])
    .where('declared', '=', true)
    .execute()
  return rows.map((row) => row.id)
}

/** Operators may bring such a system back, but not with the keys that configuration gave it. */
async function archiveOthers(transaction: Transaction<DB>, kept: readonly number[]): Promise<string[]> {
  const rows = await transaction
    .updateTable('systems')
    .set({ archived_at: sql`now()`, declared: false })
    .where('declared', '=', true)
    .$if(kept.length > 0, (query) => query.where('id', 'not in', kept))
    .returning(['id', 'hostname'])
    .execute()
  if (rows.length === 0) return []
  for (const row of rows) {
    await endDrift(transaction, row.id)
    await recordChange(transaction, {
      action: 'system.archive',
      subject: { kind: 'system', id: row.id, name: row.hostname },
      before: { declared: true, archived: false },
      after: { declared: false, archived: true },
    })
  }
  const ids = rows.map((row) => row.id)
  await deactivateKeys(transaction, await declaredKeys(transaction, ids))
  return rows.map((row) => row.hostname)
}
