import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { DRIFT_STATES } from '../../fleet/drift.ts'
import { FLAGS } from '../../fleet/flags.ts'
import { LIVENESS } from '../../fleet/liveness.ts'
import { invalidAt } from '../../protocol/problems.ts'
import { systemDetail } from '../../store/system-detail.ts'
import {
  listSystemRows,
  listSystems,
  REGISTRATIONS,
  type SystemFilter,
  type SystemListRow,
} from '../../store/system-list.ts'
import {
  formatCursor,
  parseCursor,
  SYSTEM_SORTS,
  type SystemCursor,
  type SystemSort,
} from '../../store/system-sort.ts'
import type { Authorise } from '../api/authorise.ts'
import { sendCsv } from '../api/csv.ts'
import { DriftDetailOrNull, DriftOrNull } from '../api/drift.ts'
import {
  AnyJson,
  cutPage,
  DEFAULT_PAGE_SIZE,
  idOf,
  IntegerOrNull,
  NumberOrNull,
  oneOf,
  PageSize,
  problemResponses,
  TextOrNull,
  Time,
  TimeOrNull,
} from '../api/schemas.ts'
import { noSuchSystem } from '../api/system.ts'
import { SYSTEM_CSV_COLUMNS, systemCells } from '../api/systems-csv.ts'
import type { ServerContext } from '../context.ts'

const SystemQuery = Type.Object(
  {
    liveness: Type.Optional(oneOf(LIVENESS)),
    drift: Type.Optional(oneOf(DRIFT_STATES)),
    standing: Type.Optional(oneOf(DRIFT_STATES)),
    flag: Type.Optional(oneOf(FLAGS)),
    flake: Type.Optional(idOf('Of its flake')),
    environment: Type.Optional(Type.String({ maxLength: 256 })),
    registration: Type.Optional(oneOf(REGISTRATIONS)),
    text: Type.Optional(Type.String({ maxLength: 253, description: 'Part of the host name' })),
    sort: Type.Optional(
      Type.Unsafe<SystemSort>({
        ...oneOf(SYSTEM_SORTS),
        default: 'hostname',
        description:
          'drift: the worst standing first, of one the oldest first; since: what stands so the longest first; ' +
          'last_contact: the longest silent first, those never heard of before all',
      }),
    ),
    format: Type.Optional({
      ...oneOf(['json', 'csv'] as const),
      description: 'csv, as `Accept: text/csv`: all rows at once, in the order of the names',
    }),
    after: Type.Optional(Type.String({ maxLength: 253, description: '`next` of the page before' })),
    limit: PageSize,
  },
  { additionalProperties: false },
)

const ListedSystem = Type.Object({
  hostname: Type.String(),
  environment: TextOrNull,
  declared: Type.Boolean(),
  registration: oneOf(REGISTRATIONS),
  liveness: oneOf(LIVENESS),
  last_contact: TimeOrNull,
  current_system: TextOrNull,
  nixos_version: TextOrNull,
  drift: DriftOrNull,
  flags: Type.Array(oneOf(FLAGS)),
})
export type ListedSystem = Static<typeof ListedSystem>

const System = Type.Object({
  hostname: Type.String(),
  environment: TextOrNull,
  flake_id: IntegerOrNull,
  flake_url: TextOrNull,
  branch: TextOrNull,
  configuration: TextOrNull,
  pinned_path: TextOrNull,
  assigned_at: { ...Time, description: 'Since when it has to run what these say' },
  declared: Type.Boolean(),
  created_at: Time,
  archived_at: TimeOrNull,
  registration: oneOf(REGISTRATIONS),
  liveness: oneOf(LIVENESS),
  last_contact: TimeOrNull,
  online_since: TimeOrNull,
  boot_id: TextOrNull,
  booted_at: TimeOrNull,
  interval_secs: Type.Integer(),
  clock_skew_secs: NumberOrNull,
  current_system: TextOrNull,
  protocol: Type.Integer(),
  report_id: TextOrNull,
  observed_at: TimeOrNull,
  received_at: TimeOrNull,
  reported_hostname: TextOrNull,
  system: AnyJson,
  fingerprint: AnyJson,
  drift: DriftDetailOrNull,
  flags: Type.Array(Type.Object({ flag: oneOf(FLAGS), since: Time, details: AnyJson })),
})
export type System = Static<typeof System>

/** Asks for nothing before it. */
const ACCEPTS_CSV = /^\s*text\/csv\b/i
const CSV_PAGE = 1000

export function systemRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  const limits = context.settings.liveness

  app.get<{ Querystring: Static<typeof SystemQuery> }>(
    '/systems',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'listSystems',
        summary: 'Systems in the order of their names, or another; archived ones only when asked for',
        querystring: SystemQuery,
        response: {
          200: {
            description: 'A page of systems, or as CSV all of them',
            content: {
              'application/json': {
                schema: Type.Object({
                  systems: Type.Array(ListedSystem),
                  total: Type.Integer({ description: 'Of all pages' }),
                  next: TextOrNull,
                }),
              },
              'text/csv': { schema: Type.String() },
            },
          },
          ...problemResponses,
        },
      },
    },
    async ({ query, headers }, reply) => {
      const { sort = 'hostname', after, limit = DEFAULT_PAGE_SIZE, format, ...filter } = query
      reply.header('vary', 'accept')
      if (format === 'csv' || (format === undefined && ACCEPTS_CSV.test(headers.accept ?? ''))) {
        const day = new Date(context.clock()).toISOString().slice(0, 10)
        const pages = csvPages(context, filter)
        return sendCsv(reply, { name: `systems-${day}.csv`, header: SYSTEM_CSV_COLUMNS, pages })
      }
      const page = { filter, sort, after: readCursor(sort, after, filter), limit: limit + 1, limits }
      const { rows, total } = await listSystems(context.db, page)
      const { page: systems, next } = cutPage(rows, limit, ({ cursor }) => formatCursor(sort, cursor))
      return { systems, total, next }
    },
  )

  app.get<{ Params: { hostname: string } }>(
    '/systems/:hostname',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'getSystem',
        summary: 'One system with how it stands, the facts of its newest report and its flags',
        params: Type.Object({ hostname: Type.String() }),
        response: { 200: System, ...problemResponses },
      },
    },
    async ({ params }) =>
      (await systemDetail(context.db, params.hostname, limits)) ??
      Promise.reject(noSuchSystem(params.hostname)),
  )
}

/** In the order of the names, which do not change meanwhile: each system comes once. */
async function* csvPages({ db, settings }: ServerContext, filter: SystemFilter) {
  let after: SystemCursor | null = null
  for (;;) {
    const page = { filter, sort: 'hostname' as const, after, limit: CSV_PAGE, limits: settings.liveness }
    const rows: SystemListRow[] = await listSystemRows(db, page)
    yield rows.map(systemCells)
    if (rows.length < CSV_PAGE) return
    after = rows.at(-1)?.cursor ?? null
  }
}

function readCursor(sort: SystemSort, after: string | undefined, filter: SystemFilter): SystemCursor | null {
  if (filter.registration === 'archived' && (sort === 'drift' || sort === 'since'))
    throw invalidAt('/querystring/sort', 'archived systems are not judged: there is no drift to sort by')
  if (after === undefined) return null
  const cursor = parseCursor(sort, after)
  if (cursor === null)
    throw invalidAt('/querystring/after', 'must be what a page of this order gave as `next`')
  return cursor
}
