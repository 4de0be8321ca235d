import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { factChanges } from '../../fleet/fact-changes.ts'
import { Digest } from '../../protocol/messages.ts'
import { listReportedFacts, type ReportedFacts } from '../../store/fact-history.ts'
import type { Authorise } from '../api/authorise.ts'
import { AnyJson, cutPage, IntegerOrNull, problemResponses, TextOrNull, Time } from '../api/schemas.ts'
import { requireSystem } from '../api/system.ts'
import type { ServerContext } from '../context.ts'

/** Reports that are read for a page: each is parsed. */
const MAX_REPORTS = 100
const DEFAULT_REPORTS = 50

const HistoryQuery = Type.Object(
  {
    after: Type.Optional({ ...Digest, description: '`next` of the page before' }),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_REPORTS,
        default: DEFAULT_REPORTS,
        description: 'Reports that are looked at',
      }),
    ),
  },
  { additionalProperties: false },
)
type HistoryRequest = { Params: { hostname: string }; Querystring: Static<typeof HistoryQuery> }

const FactChanges = Type.Object({
  reports: Type.Array(
    Type.Object({
      report_id: Type.String(),
      observed_at: Time,
      received_at: Time,
      changes: Type.Array(
        Type.Object({
          path: Type.String({ description: 'JSON pointer (RFC 6901), below system or fingerprint' }),
          before: AnyJson,
          after: AnyJson,
        }),
      ),
    }),
    { description: 'That say something else than the report before, newest first' },
  ),
  next: TextOrNull,
})
export type FactChanges = Static<typeof FactChanges>

const Generations = Type.Object({
  generations: Type.Array(
    Type.Object({
      generation: { ...IntegerOrNull, description: 'Of the system profile' },
      profile: TextOrNull,
      changed_at: { ...TextOrNull, description: 'When the profile was set to it, as the host says' },
      first_observed_at: Time,
      last_observed_at: Time,
      report_id: { ...Type.String(), description: 'The first that says so' },
    }),
    { description: 'As the reports say it, newest first' },
  ),
  next: TextOrNull,
})
export type Generations = Static<typeof Generations>

export function factHistoryRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  const params = Type.Object({ hostname: Type.String() })
  /** One report more: what the last of the page is compared with. */
  const read = async ({ hostname }: { hostname: string }, query: Static<typeof HistoryQuery>) => {
    const { after = null, limit = DEFAULT_REPORTS } = query
    const system = await requireSystem(context, hostname)
    const rows = await listReportedFacts(context.db, system.id, { after, limit: limit + 1 })
    return { rows, ...cutPage(rows, limit, ({ id }) => id) }
  }

  app.get<HistoryRequest>(
    '/systems/:hostname/fact-changes',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'listFactChanges',
        summary: 'Which facts of a system changed from report to report, newest first',
        params,
        querystring: HistoryQuery,
        response: { 200: FactChanges, ...problemResponses },
      },
    },
    async (request) => {
      const { rows, page, next } = await read(request.params, request.query)
      const reports = page.flatMap(({ id, facts, ...times }, index) => {
        const before = rows[index + 1]
        const changes = before === undefined ? [] : factChanges(before.facts, facts)
        return changes.length === 0 ? [] : [{ report_id: id, ...times, changes }]
      })
      return { reports, next }
    },
  )

  app.get<HistoryRequest>(
    '/systems/:hostname/generations',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'listGenerations',
        summary: 'The generations that the system profile had, as the reports say it, newest first',
        params,
        querystring: HistoryQuery,
        response: { 200: Generations, ...problemResponses },
      },
    },
    async (request) => {
      const { page, next } = await read(request.params, request.query)
      return { generations: generationsOf(page), next }
    },
  )
}

/** Reports that follow each other and say the same are one. */
function generationsOf(reports: readonly ReportedFacts[]): Static<typeof Generations>['generations'] {
  const found: Static<typeof Generations>['generations'] = []
  for (const { id, observed_at: observed, facts } of reports) {
    const { generation, profile, changedAt } = profileOf(facts.system)
    if (profile === null && generation === null) continue
    const last = found.at(-1)
    if (last?.profile === profile && last.generation === generation) {
      last.first_observed_at = observed
      last.changed_at = changedAt
      last.report_id = id
    } else
      found.push({
        generation,
        profile,
        changed_at: changedAt,
        first_observed_at: observed,
        last_observed_at: observed,
        report_id: id,
      })
  }
  return found
}

function profileOf(system: Record<string, unknown> | null) {
  const { generation, profile, profile_changed_at: changedAt } = system ?? {}
  return {
    generation: typeof generation === 'number' ? generation : null,
    profile: typeof profile === 'string' ? profile : null,
    changedAt: typeof changedAt === 'string' ? changedAt : null,
  }
}
