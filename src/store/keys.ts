import { type Kysely, sql } from 'kysely'
import type { DB } from './schema.generated.ts'

export const KEY_STATUSES = ['pending', 'active', 'inactive', 'revoked'] as const
export type KeyStatus = (typeof KEY_STATUSES)[number]

/** A registered key as the ingest path needs it. Neither member ever changes, so it may be cached for ever. */
export interface RegisteredKey {
  id: string
  systemId: number
  publicKey: Buffer
}

/** One key of one system, as it is shown. */
export interface KeyRow {
  id: string
  hostname: string
  status: KeyStatus
  declared: boolean
  created_at: Date
  revoked_at: Date | null
}

/** The key with this RFC 7638 thumbprint, whatever its status, or null. */
export async function findKey(db: Kysely<DB>, id: string): Promise<RegisteredKey | null> {
  const row = await db
    .selectFrom('keys')
    .select(['id', 'system_id as systemId', 'public_key as publicKey'])
    .where('id', '=', id)
    .executeTakeFirst()
  return row ?? null
}

/** The keys that pass the filter, oldest first. */
export async function listKeys(
  db: Kysely<DB>,
  filter: { systemId?: number; status?: KeyStatus },
): Promise<KeyRow[]> {
  let query = db
    .selectFrom('keys')
    .innerJoin('systems', 'systems.id', 'keys.system_id')
    .select([
      'keys.id',
      'systems.hostname',
      sql<KeyStatus>`keys.status`.as('status'),
      'keys.declared',
      'keys.created_at',
      'keys.revoked_at',
    ])
    .orderBy('keys.created_at')
    .orderBy('keys.id')
  if (filter.systemId !== undefined) query = query.where('keys.system_id', '=', filter.systemId)
  if (filter.status !== undefined) query = query.where('keys.status', '=', filter.status)
  return query.execute()
}

export type AddKeyOutcome = 'added' | 'already-there' | 'of-another-system' | 'revoked'

/**
 * Gives a system a key, active at once. A key that was only pending or inactive becomes active; a revoked one never
 * works again, and a key never changes its system (protocol.md, "Keys").
 */
export async function addKey(
  db: Kysely<DB>,
  key: { id: string; systemId: number; publicKey: Buffer; declared: boolean },
): Promise<AddKeyOutcome> {
  const inserted = await db
    .insertInto('keys')
    .values({
      id: key.id,
      system_id: key.systemId,
      public_key: key.publicKey,
      status: 'active',
      declared: key.declared,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  if (inserted.numInsertedOrUpdatedRows === 1n) return 'added'
  const there = await db
    .selectFrom('keys')
    .select(['system_id', 'status', 'declared'])
    .where('id', '=', key.id)
    .forUpdate()
    .executeTakeFirstOrThrow()
  if (there.system_id !== key.systemId) return 'of-another-system'
  if (there.status === 'revoked') return 'revoked'
  // what configuration declares goes with the configuration, whoever else adds it
  const declared = there.declared || key.declared
  if (there.status === 'active' && there.declared === declared) return 'already-there'
  await db.updateTable('keys').set({ status: 'active', declared }).where('id', '=', key.id).execute()
  return 'added'
}

/** Revokes a key for ever; revoking it again changes nothing. False when the system has no such key. */
export async function revokeKey(db: Kysely<DB>, systemId: number, keyId: string): Promise<boolean> {
  const updated = await db
    .updateTable('keys')
    .set({ status: 'revoked', revoked_at: sql`coalesce(revoked_at, now())` })
    .where('id', '=', keyId)
    .where('system_id', '=', systemId)
    .executeTakeFirst()
  return updated.numUpdatedRows === 1n
}

/** Whether a key may write, as `refusalOf` takes it, or null for an unknown key. */
export async function findKeyStanding(
  db: Kysely<DB>,
  id: string,
): Promise<{ status: KeyStatus; archived: boolean } | null> {
  const row = await db
    .selectFrom('keys')
    .innerJoin('systems', 'systems.id', 'keys.system_id')
    .select(['keys.status', sql<boolean>`systems.archived_at is not null`.as('archived')])
    .where('keys.id', '=', id)
    .executeTakeFirst()
  return row ?? null
}

/** All keys of the system of this name (in any case), whatever their status. Version 0 names the host, not the key. */
export async function findKeysOfHost(
  db: Kysely<DB>,
  hostname: string,
): Promise<(RegisteredKey & { hostname: string })[]> {
  return db
    .selectFrom('keys')
    .innerJoin('systems', 'systems.id', 'keys.system_id')
    .select(['keys.id', 'keys.system_id as systemId', 'keys.public_key as publicKey', 'systems.hostname'])
    .where(sql`lower(systems.hostname)`, '=', hostname.toLowerCase())
    .execute()
}
