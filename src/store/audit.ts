import { isDeepStrictEqual } from 'node:util'
import { type Kysely, sql, type Transaction } from 'kysely'
import type { Role } from './api-tokens.ts'
import type { ActorKind, AuditAction } from './audit-actions.ts'
import { inTransaction } from './database.ts'
import type { DB } from './schema.generated.ts'

/** Who makes a change. */
export interface Actor {
  kind: ActorKind
  /** Of a user or a token; of an agent that of its key; null where the kind has none. */
  id: string | null
  name: string
  role: Role | null
  /** That the request came from; null without one. */
  address: string | null
}

export interface Subject {
  kind: 'system' | 'key' | 'flake' | 'commit' | 'enroll-token' | 'token' | 'user' | 'session'
  /** Null where the name is all there is. */
  id: string | number | null
  name: string
}

/** What is different of the subject. Never a secret, the hash of one, or a key. */
export type State = Readonly<Record<string, unknown>>

export interface Change {
  action: AuditAction
  subject: Subject
  /** Null: it was not there before, or the action changes nothing that is stored. */
  before: State | null
  /** Null: it is not there any more, or the action changes nothing that is stored. */
  after: State | null
}

/** Whatever nobody asked for: what a server or an evaluator does of its own accord. */
const OURSELVES: Actor = { kind: 'system', id: null, name: 'crystal-forge', role: null, address: null }

/** The store's functions record what they change, and take a transaction already: who makes it comes with it. */
const actors = new WeakMap<Kysely<DB>, Actor>()

/** Runs `work` in the transaction that `db` is, else in one of its own; what it changes is recorded as made by `actor`. */
export async function changeAs<T>(
  db: Kysely<DB>,
  actor: Actor,
  work: (transaction: Transaction<DB>) => Promise<T>,
): Promise<T> {
  return inTransaction(db, (transaction) => {
    actors.set(transaction, actor)
    return work(transaction)
  })
}

/**
 * Writes the record of a change in the transaction that makes it: both are there, or neither. Who made it is whom `changeAs`
 * was given. Of two states only what differs is kept; where nothing does, that was no change, and leaves no record.
 */
export async function recordChange(transaction: Transaction<DB>, change: Change): Promise<void> {
  const { action, subject } = change
  const { before, after } = difference(change)
  if (before !== null && isDeepStrictEqual(before, after)) return
  const actor = actors.get(transaction) ?? OURSELVES
  await transaction
    .insertInto('audit')
    .values({
      actor_kind: actor.kind,
      actor_id: actor.id,
      actor_name: actor.name,
      role: actor.role,
      address: actor.address,
      action,
      subject_kind: subject.kind,
      subject_id: subject.id === null ? null : String(subject.id),
      subject_name: subject.name,
      before: before === null ? null : JSON.stringify(before),
      after: after === null ? null : JSON.stringify(after),
    })
    .execute()
}

/** Runs `work` and records what is different of the subject afterwards, as `look` sees it. */
export async function recordDifference<T>(
  transaction: Transaction<DB>,
  { look, ...change }: Omit<Change, 'before' | 'after'> & { look: () => Promise<State | null> },
  work: () => Promise<T>,
): Promise<T> {
  const before = await look()
  const result = await work()
  await recordChange(transaction, { ...change, before, after: await look() })
  return result
}

function difference({ before, after }: Change): Pick<Change, 'before' | 'after'> {
  if (before === null || after === null) return { before, after }
  const names = Object.keys({ ...before, ...after }).filter(
    (name) => !isDeepStrictEqual(before[name], after[name]),
  )
  const only = (state: State) => Object.fromEntries(names.map((name) => [name, state[name] ?? null]))
  return { before: only(before), after: only(after) }
}

/** Forgets records of more than `keepMs` ago. */
export async function expireAudit(db: Kysely<DB>, keepMs: number): Promise<void> {
  await inTransaction(db, async (transaction) => {
    await sql`set local crystal_forge.audit_retention = 'on'`.execute(transaction)
    await sql`delete from audit where at < now() - make_interval(secs => ${keepMs / 1000})`.execute(
      transaction,
    )
  })
}
