import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { listDesiredCommits } from '../../store/desired-commits.ts'
import type { Authorise } from '../api/authorise.ts'
import {
  BooleanOrNull,
  IntegerOrNull,
  problemResponses,
  TextOrNull,
  Time,
  TimeOrNull,
} from '../api/schemas.ts'
import { requireSystem } from '../api/system.ts'
import type { ServerContext } from '../context.ts'

const MAX_COMMITS = 100

const DesiredCommits = Type.Object({
  commits: Type.Array(
    Type.Object({
      sha: Type.String(),
      subject: TextOrNull,
      author: TextOrNull,
      committed_at: TimeOrNull,
      arrived_at: Time,
      mainline: Type.Boolean({ description: 'Whether it is itself a first-parent commit' }),
      changes: {
        ...BooleanOrNull,
        description:
          'Whether the system has to run another path from it on; null: it is not evaluated for the system',
      },
    }),
    { description: `Newest first, with the desired one, at most ${MAX_COMMITS}` },
  ),
  total: {
    ...IntegerOrNull,
    description: 'Of all; null: what the system runs is of no commit of its branch, or it follows none',
  },
  changing: { ...IntegerOrNull, description: 'How many of all change the system' },
})
export type DesiredCommits = Static<typeof DesiredCommits>

export function desiredCommitRoutes(
  app: FastifyInstance,
  context: ServerContext,
  authorise: Authorise,
): void {
  app.get<{ Params: { hostname: string } }>(
    '/systems/:hostname/desired-commits',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'listDesiredCommits',
        summary: 'The commits between the one a system runs and the one it should run',
        params: Type.Object({ hostname: Type.String() }),
        response: { 200: DesiredCommits, ...problemResponses },
      },
    },
    async ({ params }) => {
      const { id } = await requireSystem(context, params.hostname)
      return listDesiredCommits(context.db, id, MAX_COMMITS)
    },
  )
}
