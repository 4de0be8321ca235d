import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { type Activity, ACTIVITY_KINDS, listActivity } from '../../store/activity.ts'
import type { Authorise } from '../api/authorise.ts'
import {
  AnyJson,
  DEFAULT_PAGE_SIZE,
  idOf,
  IntegerOrNull,
  oneOf,
  PageSize,
  problemResponses,
  TextOrNull,
  Time,
} from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'

const ActivityQuery = Type.Object(
  {
    after: Type.Optional(idOf('`next` of the page before')),
    limit: PageSize,
  },
  { additionalProperties: false },
)

const Entry = Type.Object({
  id: Type.Integer({ description: 'Of its newest event' }),
  at: Time,
  kind: oneOf(ACTIVITY_KINDS),
  systems: Type.Integer({ description: 'How many it happened to; 0: it is of a flake' }),
  hostnames: Type.Array(Type.String(), { description: 'Of these, or of some of them' }),
  flake: Type.Unsafe<Activity['flake']>({
    type: ['object', 'null'],
    properties: { id: Type.Integer(), url: Type.String(), branch: TextOrNull },
    required: ['id', 'url', 'branch'],
  }),
  commit: Type.Unsafe<Activity['commit']>({
    type: ['object', 'null'],
    properties: { sha: Type.String(), subject: TextOrNull },
    required: ['sha', 'subject'],
  }),
  details: { ...AnyJson, description: 'Of several systems: what is the same for all' },
})
export type ActivityEntry = Static<typeof Entry>

export function activityRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  app.get<{ Querystring: Static<typeof ActivityQuery> }>(
    '/fleet/activity',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'listActivity',
        summary:
          'What happened in the fleet, newest first: drift, flags, pushes and evaluations; what one change did to many systems once',
        querystring: ActivityQuery,
        response: {
          200: Type.Object({ entries: Type.Array(Entry), next: IntegerOrNull }),
          ...problemResponses,
        },
      },
    },
    async ({ query: { after = null, limit = DEFAULT_PAGE_SIZE } }) =>
      listActivity(context.db, { after, limit }),
  )
}
