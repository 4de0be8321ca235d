import { type Kysely, sql, type Transaction } from 'kysely'
import { recordChange, type State } from './audit.ts'
import type { AuditAction } from './audit-actions.ts'
import { inTransaction } from './database.ts'
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
  let query = selectKeys(db).orderBy('keys.created_at').orderBy('keys.id')
  if (filter.systemId !== undefined) query = query.where('keys.system_id', '=', filter.systemId)
  if (filter.status !== undefined) query = query.where('keys.status', '=', filter.status)
  return query.execute()
}

/**
 * Keys of all systems, the newest first, from the one after the key `after`. `text` is part of the host name, in any case; a
 * limit of null is all of them.
 */
export async function listKeyPage(
  db: Kysely<DB>,
  page: {
    status?: KeyStatus | undefined
    text?: string | undefined
    after?: string | undefined
    limit: number | null
  },
): Promise<KeyRow[]> {
  const { status, text, after, limit } = page
  let query = selectKeys(db).orderBy('keys.created_at', 'desc').orderBy('keys.id', 'desc')
  if (status !== undefined) query = query.where('keys.status', '=', status)
  if (text !== undefined)
    query = query.where(sql<boolean>`strpos(lower(systems.hostname), ${text.toLowerCase()}) > 0`)
  if (after !== undefined)
    query = query.where(
      sql<boolean>`(keys.created_at, keys.id) < (select created_at, id from keys where id = ${after})`,
    )
  if (limit !== null) query = query.limit(limit)
  return query.execute()
}

function selectKeys(db: Kysely<DB>) {
  return db
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
}

export interface NewKey {
  id: string
  systemId: number
  publicKey: Buffer
  declared: boolean
}

export type AddKeyOutcome = 'added' | 'already-there' | 'of-another-system' | 'revoked'

/**
 * Gives a system a key, active at once. A key that was only pending or inactive becomes active; a revoked one never
 * works again, and a key never changes its system (protocol.md, "Keys").
 */
export async function addKey(db: Kysely<DB>, key: NewKey): Promise<AddKeyOutcome> {
  return inTransaction(db, (transaction) => add(transaction, key))
}

async function add(transaction: Transaction<DB>, key: NewKey): Promise<AddKeyOutcome> {
  const inserted = await transaction
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
  const added = { status: 'active', declared: key.declared }
  if (inserted.numInsertedOrUpdatedRows === 1n) {
    await recordKeys(transaction, 'key.add', [{ id: key.id, before: null, after: added }])
    return 'added'
  }
  const there = await transaction
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
  await transaction.updateTable('keys').set({ status: 'active', declared }).where('id', '=', key.id).execute()
  const before = { status: there.status, declared: there.declared }
  await recordKeys(transaction, 'key.add', [{ id: key.id, before, after: { ...added, declared } }])
  return 'added'
}

/** Records what is different of keys, under the names of their systems. */
export async function recordKeys(
  transaction: Transaction<DB>,
  action: AuditAction,
  keys: readonly { id: string; before: State | null; after: State | null }[],
): Promise<void> {
  if (keys.length === 0) return
  const rows = await transaction
    .selectFrom('keys')
    .innerJoin('systems', 'systems.id', 'keys.system_id')
    .select(['keys.id', 'systems.hostname'])
    .where(
      'keys.id',
      'in',
      keys.map(({ id }) => id),
    )
    .execute()
  const hostnames = new Map(rows.map(({ id, hostname }) => [id, hostname]))
  for (const { id, before, after } of keys) {
    const subject = { kind: 'key', id, name: hostnames.get(id) ?? id } as const
    await recordChange(transaction, { action, subject, before, after })
  }
}

/** Makes those of the keys inactive that are active or wait: they are refused until they are added again. */
export async function deactivateKeys(transaction: Transaction<DB>, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  const before = await transaction
    .selectFrom('keys')
    .select(['id', 'status'])
    .where('id', 'in', [...ids])
    .where('status', 'in', ['active', 'pending'])
    .orderBy('id')
    .forNoKeyUpdate()
    .execute()
  if (before.length === 0) return
  await transaction
    .updateTable('keys')
    .set({ status: 'inactive' })
    .where(
      'id',
      'in',
      before.map(({ id }) => id),
    )
    .execute()
  await recordKeys(
    transaction,
    'key.deactivate',
    before.map(({ id, status }) => ({ id, before: { status }, after: { status: 'inactive' } })),
  )
}

/** Revokes a key for ever; revoking it again changes nothing. False when the system has no such key. */
export async function revokeKey(db: Kysely<DB>, systemId: number, keyId: string): Promise<boolean> {
  return inTransaction(db, async (transaction) => {
    const before = await transaction
      .selectFrom('keys')
      .select('status')
      .where('id', '=', keyId)
      .where('system_id', '=', systemId)
      .forNoKeyUpdate()
      .executeTakeFirst()
    if (before === undefined) return false
    await transaction
      .updateTable('keys')
      .set({ status: 'revoked', revoked_at: sql`coalesce(revoked_at, now())` })
      .where('id', '=', keyId)
      .execute()
    await recordKeys(transaction, 'key.revoke', [{ id: keyId, before, after: { status: 'revoked' } }])
    return true
  })
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
