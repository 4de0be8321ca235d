import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { encodeBase64 } from '../../protocol/keys.ts'
import { Digest } from '../../protocol/messages.ts'
import { Problem } from '../../protocol/problems.ts'
import { findReport, listReports } from '../../store/report-list.ts'
import type { Authorise } from '../api/authorise.ts'
import {
  AnyJson,
  cutPage,
  DEFAULT_PAGE_SIZE,
  PageSize,
  problemResponses,
  TextOrNull,
  Time,
} from '../api/schemas.ts'
import { requireSystem } from '../api/system.ts'
import type { ServerContext } from '../context.ts'

const listed = {
  id: Type.String(),
  received_at: Time,
  observed_at: Time,
  key_id: Type.String(),
  protocol: Type.Integer(),
  sequence: Type.Integer(),
  reason: Type.String(),
  previous: TextOrNull,
  dropped: Type.Integer(),
  chain: Type.String({ description: 'start, continues, restart, gap, fork or unchained' }),
}

const Report = Type.Object({
  ...listed,
  hostname: Type.String(),
  document: AnyJson,
  evidence: Type.Object(
    {
      public_key: Type.String({ description: 'base64 of the raw 32 bytes' }),
      body: Type.String({ description: 'base64 of the body as received; its SHA-256 is the id' }),
      method: Type.String(),
      authority: Type.String(),
      path: Type.String(),
      content_digest: TextOrNull,
      signature_input: TextOrNull,
      signature: Type.String(),
    },
    { description: 'Everything that checks the signature again (RFC 9421)' },
  ),
})

const ReportQuery = Type.Object(
  {
    after: Type.Optional(Type.Unsafe<string>({ ...Digest, description: '`next` of the page before' })),
    limit: PageSize,
  },
  { additionalProperties: false },
)

export function reportRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  const onRequest = authorise('viewer')

  app.get<{ Params: { hostname: string }; Querystring: Static<typeof ReportQuery> }>(
    '/systems/:hostname/reports',
    {
      onRequest,
      schema: {
        operationId: 'listReports',
        summary: 'The reports of a system, newest first',
        params: Type.Object({ hostname: Type.String() }),
        querystring: ReportQuery,
        response: {
          200: Type.Object({ reports: Type.Array(Type.Object(listed)), next: TextOrNull }),
          ...problemResponses,
        },
      },
    },
    async ({ params, query }) => {
      const system = await requireSystem(context, params.hostname)
      const { after = null, limit = DEFAULT_PAGE_SIZE } = query
      const rows = await listReports(context.db, system.id, { after, limit: limit + 1 })
      const { page, next } = cutPage(rows, limit, ({ id }) => id)
      return { reports: page, next }
    },
  )

  app.get<{ Params: { digest: string } }>(
    '/reports/:digest',
    {
      onRequest,
      schema: {
        operationId: 'getReport',
        summary: 'One report: what it says, and the signed bytes exactly as received',
        params: Type.Object({ digest: Digest }),
        response: { 200: Report, ...problemResponses },
      },
    },
    async ({ params }) => {
      const report = await findReport(context.db, params.digest)
      if (report === null) throw new Problem('not-found', `there is no report ${params.digest}`)
      const {
        public_key,
        body,
        method,
        authority,
        path,
        content_digest,
        signature_input,
        signature,
        ...rest
      } = report
      return {
        ...rest,
        document: JSON.parse(body.toString('utf8')) as unknown,
        evidence: {
          public_key: encodeBase64(public_key),
          body: encodeBase64(body),
          method,
          authority,
          path,
          content_digest,
          signature_input,
          signature,
        },
      }
    },
  )
}
