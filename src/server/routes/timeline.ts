import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { invalidAt } from '../../protocol/problems.ts'
import { listTimeline, parseTimelineCursor, TIMELINE_KINDS } from '../../store/timeline.ts'
import type { Authorise } from '../api/authorise.ts'
import {
  AnyJson,
  cutPage,
  DEFAULT_PAGE_SIZE,
  oneOf,
  PageSize,
  problemResponses,
  TextOrNull,
  Time,
} from '../api/schemas.ts'
import { requireSystem } from '../api/system.ts'
import type { ServerContext } from '../context.ts'

export function timelineRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  app.get<{ Params: { hostname: string }; Querystring: { after?: string; limit?: number } }>(
    '/systems/:hostname/timeline',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'getTimeline',
        summary: 'What happened to a system: drift, flags, reports and times online, newest first',
        params: Type.Object({ hostname: Type.String() }),
        querystring: Type.Object(
          {
            after: Type.Optional(Type.String({ maxLength: 40, description: '`next` of the page before' })),
            limit: PageSize,
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({
            entries: Type.Array(Type.Object({ at: Time, kind: oneOf(TIMELINE_KINDS), details: AnyJson })),
            next: TextOrNull,
          }),
          ...problemResponses,
        },
      },
    },
    async ({ params, query: { after: text, limit = DEFAULT_PAGE_SIZE } }) => {
      const after = text === undefined ? null : parseTimelineCursor(text)
      if (after === null && text !== undefined)
        throw invalidAt('/querystring/after', 'must be what a page gave as `next`')
      const system = await requireSystem(context, params.hostname)
      const rows = await listTimeline(context.db, system.id, { after, limit: limit + 1 })
      const { page, next } = cutPage(rows, limit, ({ cursor }) => cursor)
      return { entries: page, next }
    },
  )
}
