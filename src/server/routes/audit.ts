import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { ROLES } from '../../store/api-tokens.ts'
import { ACTOR_KINDS, AUDIT_ACTIONS } from '../../store/audit-actions.ts'
import { type AuditFilter, type AuditRecord, listAudit } from '../../store/audit-list.ts'
import type { Authorise } from '../api/authorise.ts'
import { sendCsv } from '../api/csv.ts'
import { MomentText, readMoment } from '../api/moments.ts'
import {
  AnyJson,
  cutPage,
  DEFAULT_PAGE_SIZE,
  oneOf,
  oneOfOrNull,
  PageSize,
  problemResponses,
  TextOrNull,
  Time,
} from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'

const Entry = Type.Object({
  id: Type.Integer(),
  at: Time,
  actor: Type.Object({
    kind: oneOf(ACTOR_KINDS),
    id: TextOrNull,
    name: Type.String(),
    role: oneOfOrNull(ROLES),
    address: TextOrNull,
  }),
  action: oneOf(AUDIT_ACTIONS),
  subject: Type.Object({ kind: Type.String(), id: TextOrNull, name: Type.String() }),
  before: { ...AnyJson, description: 'What differs, as it was; null: there was nothing' },
  after: { ...AnyJson, description: 'What differs, as it is then; null: there is nothing any more' },
})
export type AuditEntry = Omit<Static<typeof Entry>, 'before' | 'after'> & { before: unknown; after: unknown }

const AuditQuery = Type.Object(
  {
    actor: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'Its name' })),
    action: Type.Optional(oneOf(AUDIT_ACTIONS)),
    subject: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 2048,
        description: 'Its name; of a key that of its system, of a commit its SHA, of a flake its URL',
      }),
    ),
    from: MomentText('RFC 3339'),
    to: MomentText('RFC 3339; not itself'),
    format: Type.Optional(oneOf(['json', 'csv'] as const)),
    after: Type.Optional(
      Type.String({ pattern: '^[1-9][0-9]{0,14}$', description: '`next` of the page before' }),
    ),
    limit: PageSize,
  },
  { additionalProperties: false },
)

const COLUMNS = [
  'id',
  'at',
  'actor_kind',
  'actor_id',
  'actor',
  'role',
  'address',
  'action',
  'subject_kind',
  'subject_id',
  'subject',
  'before',
  'after',
]
const CSV_PAGE = 1000

export function auditRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  app.get<{ Querystring: Static<typeof AuditQuery> }>(
    '/audit',
    {
      onRequest: authorise('admin'),
      schema: {
        operationId: 'listAudit',
        summary:
          'Who changed what, and how it was before and after, the newest first; as CSV all of it at once',
        querystring: AuditQuery,
        response: {
          200: {
            description: 'A page of records, or as CSV all of them',
            content: {
              'application/json': {
                schema: Type.Object({ records: Type.Array(Entry), next: TextOrNull }),
              },
              'text/csv': { schema: Type.String() },
            },
          },
          ...problemResponses,
        },
      },
    },
    async ({ query }, reply) => {
      const { after: cursor, limit = DEFAULT_PAGE_SIZE, format = 'json' } = query
      const { actor, action, subject } = query
      const filter = {
        actor,
        action,
        subject,
        from: readMoment('from', query.from),
        to: readMoment('to', query.to),
      }
      const after = cursor === undefined ? null : Number(cursor)
      if (format === 'csv')
        return sendCsv(reply, { name: 'audit.csv', header: COLUMNS, pages: csvPages(context, filter, after) })
      const rows = await listAudit(context.db, { filter, after, limit: limit + 1 })
      const { page, next } = cutPage(rows, limit, ({ id }) => String(id))
      return { records: page, next }
    },
  )
}

async function* csvPages(context: ServerContext, filter: AuditFilter, start: number | null) {
  let after = start
  for (;;) {
    const rows = await listAudit(context.db, { filter, after, limit: CSV_PAGE })
    yield rows.map(csvCells)
    if (rows.length < CSV_PAGE) return
    after = rows.at(-1)?.id ?? 0
  }
}

function csvCells({ id, at, actor, action, subject, before, after }: AuditRecord) {
  return [
    id,
    at,
    actor.kind,
    actor.id,
    actor.name,
    actor.role,
    actor.address,
    action,
    subject.kind,
    subject.id,
    subject.name,
    formatState(before),
    formatState(after),
  ]
}

const formatState = (state: unknown) => (state === null ? null : JSON.stringify(state))
