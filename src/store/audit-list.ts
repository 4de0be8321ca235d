import { type Kysely, sql } from 'kysely'
import type { Role } from './api-tokens.ts'
import type { Actor, Subject } from './audit.ts'
import type { ActorKind, AuditAction } from './audit-actions.ts'
import type { DB } from './schema.generated.ts'

export interface AuditRecord {
  id: number
  at: Date
  actor: Actor
  action: AuditAction
  subject: { kind: Subject['kind']; id: string | null; name: string }
  before: unknown
  after: unknown
}

/** Undefined is any. */
export interface AuditFilter {
  /** Its name, exactly. */
  actor?: string | undefined
  action?: AuditAction | undefined
  /** Its name, in any case: host names have none. */
  subject?: string | undefined
  /** The first moment, and the first after the last. */
  from?: Date | undefined
  to?: Date | undefined
}

/** One page of the records that pass the filter, the newest first, from the one after `after` (an id). */
export async function listAudit(
  db: Kysely<DB>,
  page: { filter: AuditFilter; after: number | null; limit: number },
): Promise<AuditRecord[]> {
  const { actor, action, subject, from, to } = page.filter
  const rows = await db
    .selectFrom('audit')
    .selectAll()
    .select([
      sql<ActorKind>`actor_kind`.as('actor_kind'),
      sql<Role | null>`role`.as('role'),
      sql<AuditAction>`action`.as('action'),
      sql<Subject['kind']>`subject_kind`.as('subject_kind'),
    ])
    .$if(actor !== undefined, (query) => query.where('actor_name', '=', actor ?? ''))
    .$if(action !== undefined, (query) => query.where('action', '=', action ?? ''))
    .$if(subject !== undefined, (query) => query.where(sql`lower(subject_name)`, '=', sql`lower(${subject})`))
    .$if(from !== undefined, (query) => query.where('at', '>=', from ?? new Date(0)))
    .$if(to !== undefined, (query) => query.where('at', '<', to ?? new Date(0)))
    .$if(page.after !== null, (query) => query.where('id', '<', page.after))
    .orderBy('id', 'desc')
    .limit(page.limit)
    .execute()
  return rows.map(({ id, at, action: name, before, after, ...row }) => ({
    id,
    at,
    actor: {
      kind: row.actor_kind,
      id: row.actor_id,
      name: row.actor_name,
      role: row.role,
      address: row.address,
    },
    action: name,
    subject: { kind: row.subject_kind, id: row.subject_id, name: row.subject_name },
    before,
    after,
  }))
}
