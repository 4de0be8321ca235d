import { type Kysely, sql, type Transaction } from 'kysely'
import type { DB } from './schema.generated.ts'
import { sqlState, UNIQUE_VIOLATION } from './errors.ts'
import { type Actor, changeAs } from './audit.ts'
import { inTransaction } from './database.ts'
import { lockFleet } from './drift.ts'
import { recordKeys } from './keys.ts'
import { addSystem, findSystem, setArchived } from './systems.ts'
import { hashToken } from './tokens.ts'

export interface EnrollRequest {
  token: string
  hostname: string
  keyId: string
  publicKey: Buffer
  /** That the request came from. */
  address?: string
}

export type EnrollOutcome =
  | { result: 'active' | 'pending'; hostname: string }
  | { result: 'refused' }
  | { result: 'revoked-key' }

/** Another request took the host name between the look and the insert. */
class HostnameTaken extends Error {}

/**
 * Lets a key in by an enrolment token, in one transaction (protocol.md, "Enrolment"). A key that is there already gets
 * the answer it got before and spends nothing. A host name that has a key already, or is archived, always waits for
 * approval. Unknown, expired, used up and wrong-host tokens are one `refused`.
 */
export async function enroll(db: Kysely<DB>, request: EnrollRequest): Promise<EnrollOutcome> {
  const { keyId: id, hostname: name, address = null } = request
  const actor: Actor = { kind: 'agent', id, name, role: null, address }
  const attempt = () => changeAs(db, actor, (transaction) => enrollIn(transaction, request))
  try {
    return await attempt()
  } catch (error) {
    // the same key or host name enrolled at the same moment: it is there now, and the token was not spent
    if (!(error instanceof HostnameTaken) && sqlState(error) !== UNIQUE_VIOLATION) throw error
    return attempt()
  }
}

async function enrollIn(transaction: Transaction<DB>, request: EnrollRequest): Promise<EnrollOutcome> {
  const again = await knownKey(transaction, request.keyId)
  if (again !== null) return again
  const token = await spendToken(transaction, request)
  if (token === null) return { result: 'refused' }
  const there = await lockSystem(transaction, request.hostname)
  const systemId =
    there?.id ??
    (await addSystem(
      transaction,
      {
        hostname: request.hostname,
        environment: token.environment,
        flakeUrl: token.flake_url,
        configuration: null,
        pinnedPath: null,
      },
      false,
    ))
  if (systemId === null) throw new HostnameTaken()
  const pending =
    token.needs_approval || (there !== null && (there.archived || (await hasKey(transaction, systemId))))
  const status = pending ? 'pending' : 'active'
  await transaction
    .insertInto('keys')
    .values({
      id: request.keyId,
      system_id: systemId,
      public_key: request.publicKey,
      status,
      enroll_token_id: token.id,
    })
    .execute()
  const after = { status, enroll_token: token.name, uses_left: token.uses_left }
  await recordKeys(transaction, 'key.enroll', [{ id: request.keyId, before: null, after }])
  return { result: status, hostname: there?.hostname ?? request.hostname }
}

/** One request for a host name at a time: of two for a system without a key only the first is let in unseen. */
async function lockSystem(transaction: Transaction<DB>, hostname: string) {
  await sql`select from systems where lower(hostname) = ${hostname.toLowerCase()} for no key update`.execute(
    transaction,
  )
  return findSystem(transaction, hostname)
}

async function knownKey(transaction: Transaction<DB>, keyId: string): Promise<EnrollOutcome | null> {
  const key = await transaction
    .selectFrom('keys')
    .innerJoin('systems', 'systems.id', 'keys.system_id')
    .select(['keys.status', 'systems.hostname'])
    .where('keys.id', '=', keyId)
    .executeTakeFirst()
  if (key === undefined) return null
  if (key.status === 'active' || key.status === 'pending')
    return { result: key.status, hostname: key.hostname }
  return { result: key.status === 'revoked' ? 'revoked-key' : 'refused' }
}

/** The check and the decrement are one statement: a token of one use lets one key in, however many ask at once. */
async function spendToken(transaction: Transaction<DB>, request: EnrollRequest) {
  const token = await transaction
    .updateTable('enroll_tokens')
    .set({ uses_left: sql`uses_left - 1` })
    .where('hash', '=', hashToken(request.token))
    .where('uses_left', '>', 0)
    .where('expires_at', '>', sql<Date>`now()`)
    .where('revoked_at', 'is', null)
    .where((where) =>
      where.or([
        where('hostname', 'is', null),
        where(sql`lower(hostname)`, '=', request.hostname.toLowerCase()),
      ]),
    )
    .returning(['id', 'name', 'uses_left', 'environment', 'flake_url', 'needs_approval'])
    .executeTakeFirst()
  return token ?? null
}

async function hasKey(transaction: Transaction<DB>, systemId: number): Promise<boolean> {
  const row = await transaction
    .selectFrom('keys')
    .select('id')
    .where('system_id', '=', systemId)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/**
 * Approves a system's waiting keys, or one of them, and brings the system back if it was archived. Returns the ids of
 * the keys that became active: none when nothing waited.
 */
export async function approveKeys(db: Kysely<DB>, systemId: number, keyId?: string): Promise<string[]> {
  return inTransaction(db, async (transaction) => {
    await lockFleet(transaction, 'systems')
    const approved = await transaction
      .updateTable('keys')
      .set({ status: 'active' })
      .where('system_id', '=', systemId)
      .where('status', '=', 'pending')
      .$if(keyId !== undefined, (query) => query.where('id', '=', keyId ?? ''))
      .returning('id')
      .execute()
    const change = { before: { status: 'pending' }, after: { status: 'active' } }
    await recordKeys(
      transaction,
      'key.approve',
      approved.map(({ id }) => ({ id, ...change })),
    )
    if (approved.length > 0) await setArchived(transaction, systemId, false)
    return approved.map((key) => key.id)
  })
}
